package suite

import (
	"bytes"
	"fmt"
	"strings"

	"recipe/interp"
)

// Uncovered are the lines of a file that no test reached, as ranges: "12" or "12-14", the latter where no line between
// was reached.
func Uncovered(f interp.FileCoverage) []string {
	var ranges []string
	for i := 0; i < len(f.Lines); i++ {
		if f.Lines[i].Count > 0 {
			continue
		}
		first := i
		for i+1 < len(f.Lines) && f.Lines[i+1].Count == 0 {
			i++
		}
		text := fmt.Sprint(f.Lines[first].Line)
		if i > first {
			text += fmt.Sprintf("-%d", f.Lines[i].Line)
		}
		ranges = append(ranges, text)
	}
	return ranges
}

// CoverageTable is a line a file, with the lines that were reached, all that there are, and the ranges of the others, and
// a last line of the sums.
func CoverageTable(files []interp.FileCoverage) string {
	wide, executed, total := len("total"), 0, 0
	for _, f := range files {
		wide = max(wide, len(f.File))
		executed, total = executed+f.Executed(), total+len(f.Lines)
	}
	var b strings.Builder
	line := func(name string, executed, total int, rest string) {
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%-*s  %4d/%-4d  %6s  %s", wide, name, executed, total, percent(executed, total), rest), " "))
	}
	for _, f := range files {
		line(f.File, f.Executed(), len(f.Lines), strings.Join(Uncovered(f), " "))
	}
	line("total", executed, total, "")
	return b.String()
}

// percent is rounded down, so that 100 % means every line.
func percent(executed, total int) string {
	if total == 0 {
		return "-"
	}
	return fmt.Sprintf("%d.%d%%", executed*100/total, executed*1000/total%10)
}

// LCOV is coverage in the format of lcov's tracefiles (geninfo(1)): SF, DA, LF, LH.
func LCOV(files []interp.FileCoverage) []byte {
	var b bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&b, "TN:\nSF:%s\n", strings.ReplaceAll(f.File, "\n", " "))
		for _, l := range f.Lines {
			fmt.Fprintf(&b, "DA:%d,%d\n", l.Line, l.Count)
		}
		fmt.Fprintf(&b, "LF:%d\nLH:%d\nend_of_record\n", len(f.Lines), f.Executed())
	}
	return b.Bytes()
}
