package plan

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Encode writes the canonical JSON: two spaces of indentation, a last newline, no escapes but those that JSON demands.
func (p *Plan) Encode() ([]byte, error) { return encode(p) }

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("cannot encode the plan: %w", err)
	}
	return b.Bytes(), nil
}

// around is more than the bytes of a field's name and of what stands about a value, but for the indentation.
const around = 64

// Most is a number of bytes that Encode does not exceed, found in a tenth of its time.
func (p *Plan) Most() int { return most(reflect.ValueOf(p), 1) }

func most(v reflect.Value, depth int) int {
	n := around + 8*depth // of the lines that it begins and ends with
	switch v.Kind() {
	case reflect.String:
		n += 6 * v.Len() // where each byte is escaped
	case reflect.Pointer:
		if !v.IsNil() {
			return most(v.Elem(), depth)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += most(v.Field(i), depth+1)
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += most(v.Index(i), depth+1)
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			n += most(i.Key(), depth+1) + most(i.Value(), depth+1)
		}
	}
	return n
}

// Digest is the SHA-256 of the canonical JSON, in hex: what sha256sum says of `recipe plan`'s output.
func (p *Plan) Digest() (string, error) { return digest(p) }

func digest(v any) (string, error) {
	data, err := encode(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Decode reads a plan's JSON and validates it. Unknown fields, another format and text after the plan are errors.
func Decode(data []byte) (*Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var p Plan
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("cannot read the plan: %s", unreadable(data, err))
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("cannot read the plan: something follows it")
	}
	if p.Format != Format {
		return nil, fmt.Errorf("cannot read the plan: its format is %d, this program reads %d", p.Format, Format)
	}
	if problems := p.Validate(); len(problems) > 0 {
		errs := []error{}
		for _, problem := range problems {
			errs = append(errs, problem)
		}
		return nil, fmt.Errorf("cannot use the plan: %w", errors.Join(errs...))
	}
	return &p, nil
}

// unreadable says what is wrong with JSON, and in which line where the decoder tells, in the words of the plan and not of
// this program's types.
func unreadable(data []byte, err error) string {
	var wrong *json.UnmarshalTypeError
	var garbled *json.SyntaxError
	line := func(offset int64) int { return 1 + bytes.Count(data[:offset], []byte("\n")) }
	switch {
	case errors.As(err, &wrong):
		return fmt.Sprintf("line %d: %s cannot be of the type %s", line(wrong.Offset), cmp.Or(wrong.Field, "the plan"), wrong.Value)
	case errors.As(err, &garbled):
		return fmt.Sprintf("line %d: %s", line(garbled.Offset), misplaced(garbled.Error()))
	case err == io.ErrUnexpectedEOF, err == io.EOF: // the decoder's own, not one of an expression
		return "it ends too early"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// misplaced says what JSON wants where the decoder found a character that it cannot use.
func misplaced(message string) string {
	for _, m := range []struct{ after, wanted string }{
		{" looking for beginning of object key string", "a name in quotes is wanted"}, {" looking for beginning of value", "a value is wanted"},
		{" after object key:value pair", "a comma or a closing brace is wanted"}, {" after object key", "a colon is wanted"}, {" after array element", "a comma or a closing bracket is wanted"},
		{" in string literal", "the text is not closed on its line"}, {" after top-level value", "the plan has ended"},
	} {
		if found, fits := strings.CutSuffix(message, m.after); fits {
			return m.wanted + ", not " + strings.TrimPrefix(found, "invalid character ")
		}
	}
	return message
}
