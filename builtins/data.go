package builtins

import (
	"fmt"
	"sort"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// mostDataDepth bounds values in values; a list may hold itself.
const mostDataDepth = 50

// Data is a value as a plan holds it, with expressions for what the host decides. The error says which part of it cannot
// be kept.
func Data(v starlark.Value) (*plan.Data, error) {
	d, err := dataOf(v, 0)
	if err != nil {
		return nil, err
	}
	return &d, nil
}

func dataOf(v starlark.Value, depth int) (d plan.Data, err error) {
	if depth > mostDataDepth {
		return d, fmt.Errorf("values lie more than %d deep in one another", mostDataDepth)
	}
	switch v := v.(type) {
	case starlark.NoneType:
		d.None = true
	case starlark.Bool:
		d.Scalar = expr.BoolOf(bool(v))
	case starlark.Int:
		n, ok := v.Int64()
		if !ok {
			return d, fmt.Errorf("a number does not fit in 64 bits")
		}
		d.Scalar = expr.IntOf(n)
	case starlark.Float:
		f := float64(v)
		d.Float = &f
	case starlark.String:
		if !utf8.ValidString(string(v)) {
			return d, fmt.Errorf("a text is not UTF-8: write bytes, as in b\"\\xff\"")
		}
		d.Scalar = expr.TextOf(string(v))
	case starlark.Bytes:
		b := plan.Bytes(v)
		d.Bytes = &b
	case *Value:
		d.Scalar = v.expr
	case *Handle:
		if v.path.IsZero() {
			return d, fmt.Errorf("%s is no value", v)
		}
		d.Scalar = v.path
	case host:
		for name := range expr.FactKinds() {
			d.Host = append(d.Host, plan.Entry{Key: plan.Data{Scalar: expr.TextOf(name)}, Value: plan.Data{Scalar: expr.HostOf(name)}})
		}
		sort.Slice(d.Host, func(i, j int) bool { return d.Host[i].Key.Scalar.Text < d.Host[j].Key.Scalar.Text })
	case *starlark.List:
		d.List, err = datas(v, depth)
	case starlark.Tuple:
		d.Tuple, err = datas(v, depth)
	case *starlark.Set:
		d.Set, err = datas(v, depth)
	case *starlark.Dict:
		entries := []plan.Entry{}
		for _, kv := range v.Items() {
			key, errKey := dataOf(kv[0], depth+1)
			value, errValue := dataOf(kv[1], depth+1)
			if errKey != nil || errValue != nil {
				return d, firstError(errKey, errValue)
			}
			entries = append(entries, plan.Entry{Key: key, Value: value})
		}
		d.Dict = &entries
	default:
		return d, fmt.Errorf("%s cannot be kept in a plan", show(v))
	}
	return d, err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func datas(v starlark.Iterable, depth int) (*[]plan.Data, error) {
	list := []plan.Data{}
	iter := v.Iterate()
	defer iter.Done()
	var x starlark.Value
	for iter.Next(&x) {
		d, err := dataOf(x, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return &list, nil
}
