package builtins

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"recipe/runtime/expr"
)

// amount is a number, perhaps with a fraction, and the letters behind it.
var amount = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)`) })

// unitsElsewhere are units as people write them, in milliseconds and in bytes.
func durationUnits() map[string]float64 {
	const second = 1000
	m := map[string]float64{"": second}
	for names, n := range map[string]float64{"ms msec msecs millisecond milliseconds millis": 1, "s sec secs second seconds": second, "m min mins minute minutes": 60 * second,
		"h hr hrs hour hours": 3600 * second, "d day days": 86400 * second, "w week weeks": 7 * 86400 * second} {
		for _, name := range strings.Fields(names) {
			m[name] = n
		}
	}
	return m
}

func sizeUnits() map[string]float64 {
	m := map[string]float64{"": 1 << 20}
	for names, n := range map[string]float64{"b byte bytes": 1, "k kb kib kbyte kilobyte kilobytes": 1 << 10, "m mb mib mbyte megabyte megabytes": 1 << 20,
		"g gb gib gbyte gigabyte gigabytes": 1 << 30, "t tb tib terabyte terabytes": 1 << 40} {
		for _, name := range strings.Fields(names) {
			m[name] = n
		}
	}
	return m
}

// suggestUnits reads a text as a person means it, and writes it as it is read here: "1m30s" is "90s", "1GB" is "1GiB".
func suggestUnits(text string, size bool) string {
	units, show := durationUnits(), expr.FormatDuration
	if size {
		units, show = sizeUnits(), expr.FormatSize
	}
	if often := map[string]string{"hourly": "1h", "daily": "1d", "nightly": "1d", "weekly": "7d"}[strings.ToLower(text)]; often != "" && !size {
		return fmt.Sprintf("write %q", often)
	}
	total, rest := 0.0, text
	for rest != "" {
		m := amount().FindStringSubmatch(rest)
		if m == nil {
			return ""
		}
		n, err := strconv.ParseFloat(m[1], 64)
		unit, known := units[strings.ToLower(m[2])]
		if err != nil || !known {
			return ""
		}
		total += n * unit
		rest = strings.TrimSpace(rest[len(m[0]):])
	}
	if total <= 0 || total >= 1<<53 || total != math.Trunc(total) {
		return ""
	}
	return fmt.Sprintf("write %q", show(int64(total)))
}

// suggestUnit gives a bare number the unit that it is likely to mean: that of bytes where they make a whole size.
func suggestUnit(n starlark.Int, unit string) string {
	if i, ok := n.Int64(); ok && unit == "MiB" && i >= 1<<20 && i%(1<<20) == 0 {
		return fmt.Sprintf("give the number a unit, as in %q", expr.FormatSize(i))
	}
	return fmt.Sprintf("give the number a unit, as in %q", clip(n.String(), 20)+unit)
}
