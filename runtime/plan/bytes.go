package plan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bytes are any, written as a text where they are UTF-8, and otherwise as {"base64": TEXT}.
type Bytes string

type binary struct {
	Base64 *string `json:"base64"`
}

// MarshalJSON implements json.Marshaler.
func (b Bytes) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(b)) {
		return unescaped(string(b))
	}
	text := base64.StdEncoding.EncodeToString([]byte(b))
	return json.Marshal(binary{&text})
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*b = Bytes(text)
		return nil
	}
	var coded binary
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&coded); err != nil || coded.Base64 == nil {
		return errors.New(`bytes are a text, or {"base64": TEXT}`)
	}
	decoded, err := base64.StdEncoding.DecodeString(*coded.Base64)
	if err != nil {
		return errors.New("bytes are written in base64 that cannot be read")
	}
	*b = Bytes(decoded)
	return nil
}

// unescaped writes a JSON text without the escapes that are for HTML.
func unescaped(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Statuses are the status codes of HTTP that a probe takes for healthy. One is written as a number; several as a list of
// numbers and of texts such as "200-299".
type Statuses []StatusRange

// StatusRange holds both its ends.
type StatusRange struct{ First, Last int }

// Status is the one status.
func Status(code int) Statuses { return Statuses{{code, code}} }

// Has reports whether a status is one of them.
func (s Statuses) Has(code int) bool {
	for _, r := range s {
		if r.First <= code && code <= r.Last {
			return true
		}
	}
	return false
}

func (r StatusRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

func (s Statuses) String() string {
	var texts []string
	for _, r := range s {
		texts = append(texts, r.String())
	}
	return strings.Join(texts, ", ")
}

// MarshalJSON implements json.Marshaler.
func (s Statuses) MarshalJSON() ([]byte, error) {
	if len(s) == 1 && s[0].First == s[0].Last {
		return json.Marshal(s[0].First)
	}
	list := []any{}
	for _, r := range s {
		if r.First == r.Last {
			list = append(list, r.First)
		} else {
			list = append(list, r.String())
		}
	}
	return json.Marshal(list)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Statuses) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil {
		list = []json.RawMessage{data}
	}
	*s = nil
	for _, item := range list {
		r, err := parseStatus(item)
		if err != nil {
			return err
		}
		*s = append(*s, r)
	}
	return nil
}

func parseStatus(data []byte) (StatusRange, error) {
	var code int
	if json.Unmarshal(data, &code) == nil {
		return StatusRange{code, code}, nil
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		first, last, ok := strings.Cut(text, "-")
		from, errFrom := strconv.Atoi(first)
		to, errTo := strconv.Atoi(last)
		if ok && errFrom == nil && errTo == nil {
			return StatusRange{from, to}, nil
		}
	}
	return StatusRange{}, errors.New(`a status is a number, or a text such as "200-299"`)
}
