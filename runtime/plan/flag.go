package plan

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"recipe/runtime/expr"
)

// Parse reads a flag's value as an operator writes it, in a flags file or after --set, and holds it to Accept. The
// error says what was found and what is accepted; it does not name the flag. Paths are returned without a root.
//
//	int, port   digits with an optional minus: 8080; no plus, no leading zeros, no spaces
//	bool        true or false
//	duration    10s and the like (expr.ParseDuration)
//	size        64MiB and the like (expr.ParseSize)
//	list        elements with commas between them (expr.ParseList)
//	path        absolute and clean
//	string      one line
func (f *Flag) Parse(text string) (expr.Value, error) {
	kind, _ := f.Type.Kind()
	v := expr.Value{Kind: kind}
	var err error
	switch kind {
	case expr.Int:
		v.Int, err = parseInt(text)
	case expr.Bool:
		if text != "true" && text != "false" {
			err = fmt.Errorf("%q is not a bool: true or false", text)
		}
		if text == "true" {
			v.Int = 1
		}
	case expr.Duration:
		v.Int, err = expr.ParseDuration(text)
	case expr.Size:
		v.Int, err = expr.ParseSize(text)
	case expr.List:
		v.Text = text
		_, err = expr.ParseList(text)
	case expr.Path:
		v.Text, err = text, expr.CheckPath(text)
	default:
		v.Text = text
	}
	if err != nil {
		return expr.Value{}, err
	}
	return v, f.Accept(v)
}

func parseInt(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("%q is not a whole number of 64 bits", text)
	}
	return n, nil
}

// Accept judges a value of the flag's kind by the flag's range, pattern and choices. The error does not show a secret.
func (f *Flag) Accept(v expr.Value) error {
	err := f.accept(v)
	if err != nil && f.Secret {
		return fmt.Errorf("the value in it is not accepted: %s", f.Range())
	}
	return err
}

func (f *Flag) accept(v expr.Value) error {
	switch f.Type {
	case FlagEnum:
		if !slices.Contains(f.Values, v.Text) {
			return fmt.Errorf("%q is not one of: %s", v.Text, strings.Join(f.Values, ", "))
		}
		return nil
	case FlagString:
		if strings.ContainsAny(v.Text, "\r\n\x00") {
			return errors.New("it is not one line of text")
		}
	case FlagBool, FlagPath:
		return nil
	}
	n := f.measure(v)
	if low, high := f.Bounds(); n < low || n > high {
		return fmt.Errorf("%s is out of range: %s", f.show(n), f.Limits())
	}
	return f.match(v)
}

// measure is the number that min and max bound.
func (f *Flag) measure(v expr.Value) int64 {
	switch f.Type {
	case FlagString:
		return int64(len(v.Text))
	case FlagList:
		return int64(len(v.Elements()))
	}
	return v.Int
}

func (f *Flag) match(v expr.Value) error {
	if f.Pattern == "" {
		return nil
	}
	form, err := compilePattern(f.Pattern)
	if err != nil {
		return err // a plan that was not validated
	}
	for _, text := range v.Words() {
		if !form.MatchString(text) {
			return fmt.Errorf("%q does not match %s", text, f.Pattern)
		}
	}
	return nil
}

// Bounds are the least and greatest numbers that the flag takes.
func (f *Flag) Bounds() (low, high int64) {
	low, high = math.MinInt64, math.MaxInt64
	switch f.Type {
	case FlagPort:
		low, high = 1, 65535
	case FlagDuration, FlagSize, FlagString:
		low = 0
	case FlagList:
		low, high = 0, expr.MostElements
	}
	if f.Min != nil {
		low = max(low, *f.Min)
	}
	if f.Max != nil {
		high = min(high, *f.Max)
	}
	return low, high
}

// Range says in words what the flag takes.
func (f *Flag) Range() string {
	var parts []string
	switch f.Type {
	case FlagEnum:
		return strings.Join(f.Values, ", ")
	case FlagBool:
		return "true or false"
	case FlagPath:
		return "an absolute path"
	case FlagString:
		parts = append(parts, "one line of text")
	case FlagList:
		parts = append(parts, "texts with commas between them")
	default:
		return f.Limits()
	}
	if f.Min != nil || f.Max != nil {
		parts = append(parts, f.Limits())
	}
	if f.Pattern != "" && f.Type == FlagList {
		parts = append(parts, "each matching "+f.Pattern)
	} else if f.Pattern != "" {
		parts = append(parts, "matching "+f.Pattern)
	}
	return strings.Join(parts, ", ")
}

// Limits says in words which numbers the flag takes.
func (f *Flag) Limits() string {
	low, high := f.Bounds()
	switch {
	case low == math.MinInt64 && high == math.MaxInt64 && f.Unit != "":
		return "any whole number of " + f.Unit
	case low == math.MinInt64 && high == math.MaxInt64:
		return "any whole number"
	case low == math.MinInt64:
		return "at most " + f.show(high)
	case high == math.MaxInt64:
		return "at least " + f.show(low)
	}
	return f.number(low) + " to " + f.show(high)
}

// show is a number as the flag's own words have it.
func (f *Flag) show(n int64) string {
	if n == 1 && (f.Type == FlagString || f.Type == FlagList) {
		return "1" + strings.TrimSuffix(f.Suffix(), "s")
	}
	return f.number(n) + f.Suffix()
}

func (f *Flag) number(n int64) string {
	switch f.Type {
	case FlagDuration:
		return expr.FormatDuration(n)
	case FlagSize:
		return expr.FormatSize(n)
	}
	return strconv.FormatInt(n, 10)
}

// Suffix is what stands behind a number that the flag's range is told in.
func (f *Flag) Suffix() string {
	switch {
	case f.Type == FlagString:
		return " bytes"
	case f.Type == FlagList:
		return " elements"
	case f.Unit != "":
		return " " + f.Unit
	}
	return ""
}
