package builtins

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Steps do not count what one operation of Starlark does. These bounds keep a slip of the pen from filling the memory;
// they are no defence against a text that means to.

// MostItems bounds what one operation may make: characters, items, or bits of a number. A million items are 16 MB.
const MostItems = 1_000_000

func tooLarge(what string) error {
	return &refusal{code: CodeTooLarge, message: fmt.Sprintf("%s would be too large: more than %d", what, MostItems), hint: "a recipe describes; look for a number with too many digits"}
}

// guardTimes is *, bounded: Starlark itself repeats a list up to a thousand million times.
func guardTimes(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	x, y := args[0], args[1]
	if isUnknown(x) || isUnknown(y) {
		return unknown{}, nil
	}
	n, ok := x.(starlark.Int)
	other := y
	if !ok {
		n, ok = y.(starlark.Int)
		other = x
	}
	if ok {
		switch other := other.(type) {
		case starlark.Int:
			if n.BigInt().BitLen()+other.BigInt().BitLen() > MostItems {
				return nil, tooLarge("the number")
			}
		case starlark.Sequence, starlark.Indexable:
			times, small := n.Int64()
			if items := starlark.Len(other); !small && n.Sign() > 0 || items > 0 && times > MostItems/int64(items) {
				return nil, tooLarge("the result")
			}
		}
	}
	return starlark.Binary(syntax.STAR, x, y)
}

// dependent finds a host value, or a handle whose path has a root in front on the host, in v or its items. It fails when
// there is more to look through than an evaluation could make on purpose: lists that hold one list many times over
// would take for ever to compare or to print as well.
func dependent(v starlark.Value) (starlark.Value, error) {
	return look(v, false)
}

// look is dependent, with handles passed over when values alone matter.
func look(v starlark.Value, valuesOnly bool) (starlark.Value, error) {
	s := search{left: MostItems, valuesOnly: valuesOnly}
	found := s.find(v, 0)
	if found == nil && s.left < 0 {
		return nil, tooLarge("what this looks through")
	}
	return found, nil
}

// search is a walk through lists of lists. left is how many items may still be looked at.
type search struct {
	left       int
	valuesOnly bool
}

const deepest = 100 // lists in one another

func (s *search) find(v starlark.Value, depth int) starlark.Value {
	if s.left--; s.left < 0 || depth > deepest {
		s.left = -1
		return nil
	}
	switch v := v.(type) {
	case *Value:
		return v
	case *Handle:
		if !v.path.IsZero() && !s.valuesOnly {
			return v
		}
	case *starlark.Dict:
		for _, kv := range v.Items() {
			if found := s.find(kv[1], depth+1); found != nil || s.left < 0 {
				return found
			}
		}
	case starlark.Tuple:
		for _, x := range v {
			if found := s.find(x, depth+1); found != nil || s.left < 0 {
				return found
			}
		}
	case *starlark.List:
		for i := range v.Len() {
			if found := s.find(v.Index(i), depth+1); found != nil || s.left < 0 {
				return found
			}
		}
	}
	return nil
}
