package flags

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Setting is one flag's value and the place that it was read from. A path is without the root of the run; of a secret it
// is the path of its file. Warning tells of a flag that is deprecated, or called by an old name.
type Setting struct {
	Name    string // that the flag has now
	Value   expr.Value
	Origin  string
	Warning string
}

// Parse reads the text of a flags file; file is its name in messages. It returns the sound settings in the order of the
// file, and every problem in the same order, at most one a line.
func Parse(p *plan.Plan, file string, data []byte) ([]Setting, []error) {
	var settings []Setting
	var problems []error
	first := map[string]int{} // line by flag
	for i, line := range strings.Split(string(data), "\n") {
		number := i + 1
		place := fmt.Sprintf("%s:%d", file, number)
		if err := characters(line); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", place, err))
			continue
		}
		if strings.Trim(line, " \t") == "" || line[0] == '#' {
			continue
		}
		name, text, err := split(line)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", place, err))
			continue
		}
		f, v, err := value(p, name, text)
		if f != nil {
			if line, again := first[f.Name]; again {
				err = fmt.Errorf("is set already, in line %d%s", line, formerly(f))
			} else {
				first[f.Name] = number
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: flag %q: %w", place, name, err))
			continue
		}
		settings = append(settings, setting(f, name, v, place))
	}
	return settings, problems
}

// formerly explains why a flag can be set twice by two names.
func formerly(f *plan.Flag) string {
	if len(f.RenamedFrom) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s was called %s", f.Name, strings.Join(f.RenamedFrom, ", "))
}

// characters reports the first byte of a line that has no place in a flags file, or that it is too long.
func characters(line string) error {
	for i, r := range line {
		switch {
		case r == '\r' && i == len(line)-1:
			return errors.New("a carriage return at the end: write the file with Unix line ends")
		case r == 0:
			return errors.New("a NUL byte")
		case r < ' ' && r != '\t', r == 0x7f:
			return errors.New("a control character")
		case r == utf8.RuneError && !strings.HasPrefix(line[i:], "\uFFFD"):
			return errors.New("bytes that are not UTF-8")
		}
	}
	if len(line) > MaxLine {
		return errors.New("a line of more than 16384 bytes")
	}
	return nil
}

func split(line string) (name, text string, err error) {
	if line[0] == ' ' || line[0] == '\t' {
		return "", "", errors.New("white space before the name: write name=value from the start of the line")
	}
	name, text, ok := strings.Cut(line, "=")
	if !ok {
		return "", "", errors.New("no '=': write name=value")
	}
	return name, text, nil
}
