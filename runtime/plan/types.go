package plan

import (
	"fmt"
	"strconv"
	"time"

	"recipe/runtime/expr"
)

// Duration is a time in milliseconds, written as 100ms, 10s, 5m or 2h.
type Duration int64

// Std converts to the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) * time.Millisecond }

func (d Duration) String() string { return expr.FormatDuration(int64(d)) }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	ms, err := expr.ParseDuration(string(text))
	*d = Duration(ms)
	return err
}

// Size is a number of bytes, written as 512B, 64KiB, 512MiB or 1GiB.
type Size int64

func (s Size) String() string { return expr.FormatSize(int64(s)) }

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := expr.ParseSize(string(text))
	*s = Size(n)
	return err
}

// Mode holds permission bits, set-user-id and the like included, written as four octal digits.
type Mode uint32

func (m Mode) String() string { return fmt.Sprintf("%04o", uint32(m)) }

// MarshalText implements encoding.TextMarshaler.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Mode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || n > 0o7777 || len(text) != 4 {
		return fmt.Errorf("%q is not a file mode: four octal digits, as in 0644", text)
	}
	*m = Mode(n)
	return nil
}

// FlagType is the type of a flag as a recipe names it.
type FlagType string

// The types. A port is an int from 1 to 65535.
const (
	FlagInt      FlagType = "int"
	FlagBool     FlagType = "bool"
	FlagString   FlagType = "string"
	FlagEnum     FlagType = "enum"
	FlagPort     FlagType = "port"
	FlagDuration FlagType = "duration"
	FlagSize     FlagType = "size"
	FlagList     FlagType = "list"
	FlagPath     FlagType = "path"
)

// FlagTypes lists the types in the order in which messages name them.
func FlagTypes() []FlagType {
	return []FlagType{FlagInt, FlagBool, FlagString, FlagEnum, FlagPort, FlagDuration, FlagSize, FlagList, FlagPath}
}

// Kind is the kind of expression that a flag of the type is.
func (t FlagType) Kind() (expr.Kind, bool) {
	switch t {
	case FlagInt, FlagPort:
		return expr.Int, true
	case FlagBool:
		return expr.Bool, true
	case FlagString, FlagEnum:
		return expr.Text, true
	case FlagDuration:
		return expr.Duration, true
	case FlagSize:
		return expr.Size, true
	case FlagList:
		return expr.List, true
	case FlagPath:
		return expr.Path, true
	}
	return "", false
}
