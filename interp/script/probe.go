package script

import (
	"encoding/json"
	"errors"
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// object is what a function is given.
func (r *run) object(service string) starlark.Value {
	return starlarkstruct.FromStringDict(starlark.String("probe"), starlark.StringDict{
		"service": starlark.String(service),
		"connect": starlark.NewBuiltin("connect", r.connect),
		"http":    starlark.NewBuiltin("http", r.http),
		"udp":     starlark.NewBuiltin("udp", r.udp),
		"log":     starlark.NewBuiltin("log", r.logged1),
		"pack":    starlark.NewBuiltin("pack", pack),
		"unpack":  starlark.NewBuiltin("unpack", unpack),
		"bytes":   starlark.NewBuiltin("bytes", join),
	})
}

func (r *run) logged1(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var text string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "text", &text); err != nil {
		return nil, err
	}
	r.log(text)
	return starlark.None, nil
}

// asks puts a question to the parent. Its error is what the parent says.
func asks[A any](r *run, name string, question any) (answer A, err error) {
	data, err := json.Marshal(question)
	if err != nil {
		return answer, err
	}
	data, err = r.ask(name, data)
	if err != nil {
		return answer, err
	}
	var told struct {
		Fault  string
		Answer json.RawMessage
	}
	if err := json.Unmarshal(data, &told); err != nil {
		return answer, fmt.Errorf("cannot read what the parent says: %w", err)
	}
	if told.Fault != "" {
		return answer, errors.New(told.Fault)
	}
	return answer, json.Unmarshal(told.Answer, &answer)
}

// data is the bytes of a text or of bytes.
func data(v starlark.Value) ([]byte, error) {
	switch v := v.(type) {
	case starlark.String:
		return []byte(v), nil
	case starlark.Bytes:
		return []byte(v), nil
	}
	return nil, fmt.Errorf("found %s, wanted a text or bytes", v.Type())
}

// pack writes a number as size bytes, the greatest first unless little.
func pack(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var n starlark.Int
	var size int
	little := false
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "number", &n, "size", &size, "little?", &little); err != nil {
		return nil, err
	}
	if size < 1 || size > 8 {
		return nil, fmt.Errorf("pack: a number has 1 to 8 bytes, found %d", size)
	}
	number, ok := n.Uint64()
	if signed, fits := n.Int64(); fits && signed < 0 {
		number, ok = uint64(signed), size == 8 || signed >= -(1<<(8*size-1))
	} else if size < 8 {
		ok = ok && number < 1<<(8*size)
	}
	if !ok {
		return nil, fmt.Errorf("pack: %s does not fit in %d bytes", n, size)
	}
	out := make([]byte, size)
	for i := range out {
		at := size - 1 - i
		if little {
			at = i
		}
		out[at] = byte(number >> (8 * i))
	}
	return starlark.Bytes(out), nil
}

// unpack reads bytes as one number without a sign, the greatest first unless little.
func unpack(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var from starlark.Bytes
	little := false
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "bytes", &from, "little?", &little); err != nil {
		return nil, err
	}
	if len(from) < 1 || len(from) > 8 {
		return nil, fmt.Errorf("unpack: a number has 1 to 8 bytes, found %d", len(from))
	}
	var number uint64
	for i := range len(from) {
		at := i
		if little {
			at = len(from) - 1 - i
		}
		number = number<<8 | uint64(from[at])
	}
	return starlark.MakeUint64(number), nil
}

// join makes bytes of texts, bytes, and numbers from 0 to 255.
func join(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, errors.New("bytes: its parts have no names")
	}
	var out []byte
	for _, v := range args {
		if n, ok := v.(starlark.Int); ok {
			number, fits := n.Uint64()
			if !fits || number > 255 {
				return nil, fmt.Errorf("bytes: %s is no byte", n)
			}
			out = append(out, byte(number))
			continue
		}
		part, err := data(v)
		if err != nil {
			return nil, fmt.Errorf("bytes: %w, or a number from 0 to 255", err)
		}
		out = append(out, part...)
	}
	return starlark.Bytes(out), nil
}
