package plan

import (
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

// Accept judges a value of the flag's kind by the flag's range and choices.
func (f *Flag) Accept(v expr.Value) error {
	switch f.Type {
	case FlagEnum:
		if !slices.Contains(f.Values, v.Text) {
			return fmt.Errorf("%q is not one of: %s", v.Text, strings.Join(f.Values, ", "))
		}
	case FlagString:
		if strings.ContainsAny(v.Text, "\r\n\x00") {
			return fmt.Errorf("%q is not one line of text", v.Text)
		}
	case FlagInt, FlagPort, FlagDuration, FlagSize:
		if low, high := f.Bounds(); v.Int < low || v.Int > high {
			return fmt.Errorf("%s is out of range: %s", f.show(v.Int), f.Range())
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
	case FlagDuration, FlagSize:
		low = 0
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
	low, high := f.Bounds()
	switch {
	case f.Type == FlagEnum:
		return strings.Join(f.Values, ", ")
	case low == math.MinInt64 && high == math.MaxInt64:
		return "any whole number"
	case low == math.MinInt64:
		return "at most " + f.show(high)
	case high == math.MaxInt64:
		return "at least " + f.show(low)
	}
	return f.show(low) + " to " + f.show(high)
}

func (f *Flag) show(n int64) string {
	switch f.Type {
	case FlagDuration:
		return expr.FormatDuration(n)
	case FlagSize:
		return expr.FormatSize(n)
	}
	return strconv.FormatInt(n, 10)
}
