package expr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// MarshalJSON writes the canonical form that the package comment shows.
func (e Expr) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	if err := e.write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (e Expr) write(b *bytes.Buffer) error {
	switch e.Op {
	case "":
		return fmt.Errorf("cannot encode an absent expression")
	case OpInt:
		fmt.Fprintf(b, "%d", e.Int)
	case OpBool:
		fmt.Fprintf(b, "%t", e.Int != 0)
	case OpText:
		quote(b, e.Text)
	case OpPath, OpFlag, OpHost:
		fmt.Fprintf(b, `{"%s":`, e.Op)
		quote(b, e.Text)
		b.WriteByte('}')
	case OpSize:
		fmt.Fprintf(b, `{"size":"%s"}`, FormatSize(e.Int))
	case OpDuration:
		fmt.Fprintf(b, `{"duration":"%s"}`, FormatDuration(e.Int))
	default:
		fmt.Fprintf(b, `{"%s":[`, e.Op)
		for i, a := range e.Args {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := a.write(b); err != nil {
				return err
			}
		}
		b.WriteString("]}")
	}
	return nil
}

// quote writes a JSON string without the HTML escapes that json.Marshal adds.
func quote(b *bytes.Buffer, s string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // a string cannot fail
	b.Truncate(b.Len() - 1)
}

// UnmarshalJSON reads the canonical form; anything else is an error that names what was found.
func (e *Expr) UnmarshalJSON(data []byte) error {
	parsed, err := decode(data, 0)
	if err == nil {
		*e = parsed
	}
	return err
}

func decode(data []byte, depth int) (Expr, error) {
	if depth > maxDepth {
		return Expr{}, fmt.Errorf("an expression is nested more than %d deep", maxDepth)
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '{' {
		return decodeObject(data, depth)
	}
	if err := dec.Decode(&v); err != nil {
		return Expr{}, err
	}
	switch v := v.(type) {
	case bool:
		return BoolOf(v), nil
	case string:
		return TextOf(v), nil
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return Expr{}, fmt.Errorf("%s is not a whole number of 64 bits", v)
		}
		return IntOf(n), nil
	}
	return Expr{}, fmt.Errorf("%s is not an expression", data)
}

func decodeObject(data []byte, depth int) (Expr, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.Token() // the brace that the caller saw
	key, err := dec.Token()
	if err != nil {
		return Expr{}, err
	}
	op, _ := key.(string)
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return Expr{}, fmt.Errorf("an expression without an operator: %w", noEOF(err))
	}
	if dec.More() {
		return Expr{}, fmt.Errorf("an expression has one operator, but more stand beside %q", op)
	}
	switch op := Op(op); op {
	case OpPath, OpFlag, OpHost, OpSize, OpDuration:
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return Expr{}, fmt.Errorf("%q takes a text, not %s", op, raw)
		}
		return leaf(op, text)
	default:
		if !slices.Contains(Operators(), op) {
			return Expr{}, fmt.Errorf("no such operator: %q", op)
		}
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return Expr{}, fmt.Errorf("%q takes a list, not %s", op, raw)
		}
		e := Expr{Op: op, Args: make([]Expr, len(list))}
		for i, item := range list {
			if e.Args[i], err = decode(item, depth+1); err != nil {
				return Expr{}, err
			}
		}
		return e, nil
	}
}

// Operators lists those that take arguments.
func Operators() []Op {
	return []Op{OpAdd, OpSub, OpMul, OpDiv, OpMod, OpMin, OpMax, OpClamp, OpList, OpJoin, OpFmt,
		OpEq, OpNe, OpLt, OpLe, OpGt, OpGe, OpAnd, OpOr, OpNot, OpCond, OpSelect}
}

func leaf(op Op, text string) (Expr, error) {
	e := Expr{Op: op, Text: text}
	var err error
	switch op {
	case OpPath:
		err = CheckPath(text)
	case OpSize:
		e.Text = ""
		e.Int, err = ParseSize(text)
	case OpDuration:
		e.Text = ""
		e.Int, err = ParseDuration(text)
	}
	return e, err
}

// CheckPath accepts an absolute path without . or .. elements, doubled or trailing slashes, or NUL.
func CheckPath(path string) error {
	switch {
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("%q is not an absolute path", path)
	case strings.ContainsAny(path, "\x00\n"):
		return fmt.Errorf("%q holds a NUL or a newline", path)
	case path == "/":
		return nil
	}
	for _, element := range strings.Split(path[1:], "/") {
		if element == "" || element == "." || element == ".." {
			return fmt.Errorf("%q is not a clean path: it has an element %q", path, element)
		}
	}
	return nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
