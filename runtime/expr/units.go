package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

type unit struct {
	suffix string
	factor int64
}

// Longest suffix first where one ends in another.
var (
	durationUnits = []unit{{"ms", 1}, {"s", 1000}, {"m", 60_000}, {"h", 3_600_000}, {"d", 86_400_000}}
	sizeUnits     = []unit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
)

// ParseDuration reads a whole number with one unit (100ms, 10s, 5m, 2h, 1d) and returns milliseconds.
func ParseDuration(s string) (int64, error) {
	return parseUnits(s, durationUnits, "a duration", "a whole number and ms, s, m, h or d, as in 10s")
}

// FormatDuration writes milliseconds with the largest unit up to hours that leaves a whole number; 0 is 0s.
func FormatDuration(ms int64) string {
	switch {
	case ms%1000 != 0:
		return strconv.FormatInt(ms, 10) + "ms"
	case ms%60_000 != 0 || ms == 0:
		return strconv.FormatInt(ms/1000, 10) + "s"
	case ms%3_600_000 != 0:
		return strconv.FormatInt(ms/60_000, 10) + "m"
	}
	return strconv.FormatInt(ms/3_600_000, 10) + "h"
}

// ParseSize reads a whole number with one unit (512B, 64KiB, 512MiB, 1GiB, 2TiB) and returns bytes.
func ParseSize(s string) (int64, error) {
	return parseUnits(s, sizeUnits, "a size", "a whole number and B, KiB, MiB, GiB or TiB, as in 64MiB")
}

// FormatSize writes bytes with the largest unit that leaves a whole number.
func FormatSize(bytes int64) string {
	for _, u := range sizeUnits {
		if bytes%u.factor == 0 && (bytes != 0 || u.factor == 1) {
			return strconv.FormatInt(bytes/u.factor, 10) + u.suffix
		}
	}
	return strconv.FormatInt(bytes, 10) + "B"
}

func parseUnits(s string, units []unit, what, accepted string) (int64, error) {
	digits := strings.TrimLeft(s, "0123456789")
	for _, u := range units {
		if digits != u.suffix || len(digits) == len(s) {
			continue
		}
		n, err := strconv.ParseInt(s[:len(s)-len(digits)], 10, 64)
		if err != nil || n > math.MaxInt64/u.factor {
			return 0, fmt.Errorf("%q is too large for %s", s, what)
		}
		return n * u.factor, nil
	}
	return 0, fmt.Errorf("%q is not %s: %s", s, what, accepted)
}
