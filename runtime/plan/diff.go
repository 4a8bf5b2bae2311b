package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Change is one place in which two plans differ. Path names it in the plan's JSON, with what has a name by its name:
// services[foo].probes[0].every. Old and New are compact JSON; Old is empty where something was added, New where it was
// taken away.
type Change struct {
	Path string `json:"path"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// Changes lists where two plans differ, in the order of the old one's fields.
func Changes(before, after *Plan) ([]Change, error) {
	a, err := tree(before)
	if err != nil {
		return nil, err
	}
	b, err := tree(after)
	if err != nil {
		return nil, err
	}
	return differ("", a, b), nil
}

// field is one of an object, which keeps its order.
type field struct {
	key   string
	value any
}

// tree is the plan's JSON: []field, []any, and everything else as the text that it has there.
func tree(p *Plan) (any, error) {
	data, err := p.Encode()
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return node(dec)
}

func node(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, fmt.Errorf("cannot compare the plans: %w", err)
	}
	switch token {
	case json.Delim('{'):
		object := []field{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, fmt.Errorf("cannot compare the plans: %w", err)
			}
			value, err := node(dec)
			if err != nil {
				return nil, err
			}
			object = append(object, field{key.(string), value})
		}
		_, err = dec.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			value, err := node(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = dec.Token()
		return list, err
	}
	return compact(token), nil
}

// scalar is a JSON text of one line.
type scalar string

func compact(v any) scalar {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // tokens always can be
	return scalar(strings.TrimSuffix(b.String(), "\n"))
}

// line writes a tree as JSON of one line.
func line(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []field:
		parts := make([]string, len(v))
		for i, f := range v {
			parts[i] = string(compact(f.key)) + ": " + line(f.value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = line(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return string(v.(scalar))
}

// differ compares two trees, of which one may be nil.
func differ(path string, a, b any) []Change {
	if line(a) == line(b) {
		return nil
	}
	if x, ok := a.([]field); ok {
		if y, ok := b.([]field); ok && alike(x, y) {
			return differFields(path, x, y)
		}
	}
	x, isList := a.([]any)
	y, isListToo := b.([]any)
	if isList && isListToo || isList && b == nil || isListToo && a == nil {
		return differLists(path, x, y)
	}
	return []Change{{Path: path, Old: line(a), New: line(b)}}
}

// alike reports whether two objects have a field in common: steps and probes of different kinds have none that tells.
func alike(x, y []field) bool {
	return slices.ContainsFunc(x, func(f field) bool { return get(y, f.key) != nil })
}

func differFields(path string, x, y []field) (changes []Change) {
	for _, f := range x {
		changes = append(changes, differ(below(path, f.key), f.value, get(y, f.key))...)
	}
	for _, f := range y {
		if get(x, f.key) == nil {
			changes = append(changes, differ(below(path, f.key), nil, f.value)...)
		}
	}
	return changes
}

func get(object []field, key string) any {
	for _, f := range object {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func differLists(path string, x, y []any) (changes []Change) {
	if keys, ok := keysOf(append(slices.Clone(x), y...)); ok {
		old, fresh := byKey(x), byKey(y)
		for _, key := range keys {
			changes = append(changes, differ(fmt.Sprintf("%s[%s]", path, key), old[key], fresh[key])...)
		}
		return changes
	}
	for _, pair := range align(x, y) {
		changes = append(changes, differ(fmt.Sprintf("%s[%d]", path, pair.index), pair.a, pair.b)...)
	}
	return changes
}

// keysOf gives the names, paths or phases of a list's elements, each once, if every element has one.
func keysOf(list []any) (keys []string, ok bool) {
	for _, e := range list {
		key, ok := keyOf(e)
		if !ok {
			return nil, false
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, true
}

func keyOf(e any) (string, bool) {
	object, _ := e.([]field)
	for _, key := range []string{"name", "path", "phase"} {
		if s, ok := get(object, key).(scalar); ok {
			return strings.Trim(string(s), `"`), true
		}
	}
	return "", false
}

func byKey(list []any) map[string]any {
	m := map[string]any{}
	for _, e := range list {
		key, _ := keyOf(e)
		m[key] = e
	}
	return m
}

// pair is an element before and after; nil where there is none. index is its place before, or after where it is new.
type pair struct {
	index int
	a, b  any
}

// align pairs two lists: what is the same in both keeps its partner, and between two such what was taken away is paired
// with what came instead. The table of the longest common subsequence costs the product of the lengths, which a plan's
// bounds keep small.
func align(x, y []any) (pairs []pair) {
	texts := func(list []any) []string {
		lines := make([]string, len(list))
		for i, e := range list {
			lines[i] = line(e)
		}
		return lines
	}
	p, q := texts(x), texts(y)
	longest := make([][]int, len(p)+1)
	for i := range longest {
		longest[i] = make([]int, len(q)+1)
	}
	for i := len(p) - 1; i >= 0; i-- {
		for j := len(q) - 1; j >= 0; j-- {
			if p[i] == q[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(p) || j < len(q) {
		from, start := i, j
		for i < len(p) && j < len(q) && p[i] != q[j] {
			if longest[i+1][j] >= longest[i][j+1] {
				i++
			} else {
				j++
			}
		}
		if i == len(p) || j == len(q) {
			i, j = len(p), len(q)
		}
		for k := range max(i-from, j-start) {
			one := pair{index: start + k}
			if from+k < i {
				one.a, one.index = x[from+k], from+k
			}
			if start+k < j {
				one.b = y[start+k]
			}
			pairs = append(pairs, one)
		}
		i, j = i+1, j+1
	}
	return pairs
}

// Belongs tells which service or task a change is of, or "".
func (c Change) Belongs() string {
	name, ok := strings.CutPrefix(c.Path, "services[")
	if !ok {
		name, ok = strings.CutPrefix(c.Path, "tasks[")
	}
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, "]")
	return name
}
