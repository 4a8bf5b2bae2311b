package plan

import (
	"reflect"
	"strings"
	"testing"

	"recipe/runtime/expr"
)

// fill sets every field of what v holds, lists to one element, texts to what JSON has the longest form for.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("\x01\xff")
	case reflect.Int, reflect.Int64:
		v.SetInt(-1 << 62)
	case reflect.Uint32:
		v.SetUint(1<<32 - 1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth)
	case reflect.Slice:
		if depth < 9 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), depth+1)
		}
	case reflect.Struct:
		if e, ok := v.Addr().Interface().(*expr.Expr); ok {
			*e = expr.TextOf("\x01\xff")
			for range 60 {
				*e = expr.Expr{Op: expr.OpAdd, Args: []expr.Expr{*e, expr.IntOf(-1 << 62), expr.DurationOf(1 << 62)}}
			}
			return
		}
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "None" { // of Data, which stands alone
				fill(v.Field(i), depth+1)
			}
		}
	}
}

// TestMostIsNoLess compares the bound with what it bounds, for plans that are sparse, full, and all escapes.
func TestMostIsNoLess(t *testing.T) {
	t.Parallel()
	var full Plan
	fill(reflect.ValueOf(&full).Elem(), 0)
	text := whole()
	text.Services[0].Command = append(text.Services[0].Command, expr.TextOf(strings.Repeat("\x01", 100_000)))
	for name, p := range map[string]*Plan{"empty": {}, "whole": whole(), "full": &full, "text": text} {
		data, err := p.Encode()
		if err != nil {
			t.Fatal(name, err)
		}
		if p.Most() < len(data) || len(data) > 10_000 && p.Most() > 16*len(data) {
			t.Errorf("%s: %d bytes, at most %d", name, len(data), p.Most())
		}
	}
}
