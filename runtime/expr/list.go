package expr

import (
	"errors"
	"fmt"
	"strings"
)

// MostElements is how many elements a list holds at most.
const MostElements = 1000

// ParseList reads elements with commas between them, as operators write lists; the empty text is the empty list. No
// element is empty or has white space at an end, and none can hold a comma.
func ParseList(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	elements := strings.SplitN(text, ",", MostElements+2)
	for i, element := range elements {
		if i == MostElements {
			return nil, fmt.Errorf("a list has at most %d elements", MostElements)
		}
		if err := CheckElement(element); err != nil {
			return nil, fmt.Errorf("%q is not a list: element %d %w", text, i+1, err)
		}
	}
	return elements, nil
}

// CheckElement judges one element of a list; the error begins with a verb.
func CheckElement(element string) error {
	switch {
	case element == "":
		return errors.New("is empty")
	case strings.Trim(element, " \t") != element:
		return errors.New("has white space at an end")
	case strings.Contains(element, ","):
		return errors.New("holds a comma, which parts elements")
	case strings.ContainsAny(element, "\r\n\x00"):
		return errors.New("is not one line of text")
	}
	return nil
}

// JoinElements is the text that ParseList reads.
func JoinElements(elements []string) string { return strings.Join(elements, ",") }

// Elements are those of a list.
func (v Value) Elements() []string {
	if v.Text == "" {
		return nil
	}
	return strings.Split(v.Text, ",")
}

// Words are the value as arguments of a command: one, or one for each element of a list.
func (v Value) Words() []string {
	if v.Kind == List {
		return v.Elements()
	}
	return []string{v.String()}
}

func textsOf(values []Value) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.Text
	}
	return list
}

// listed requires text literals that can be elements.
func listed(e Expr) error {
	if len(e.Args) > MostElements {
		return fmt.Errorf("a list has at most %d elements", MostElements)
	}
	for i, a := range e.Args {
		if a.Op != OpText {
			return errors.New("the elements of a list are texts that are known now")
		}
		if err := CheckElement(a.Text); err != nil {
			return fmt.Errorf("element %d of the list %w", i+1, err)
		}
	}
	return nil
}

// joined requires a list and a text literal.
func joined(e Expr, kinds []Kind) error {
	switch {
	case len(kinds) != 2:
		return fmt.Errorf("join takes a list and a text, not %d values", len(kinds))
	case kinds[0] != List:
		return fmt.Errorf("join takes a list, not a %s", kinds[0])
	case e.Args[1].Op != OpText:
		return errors.New("what join puts between elements is a text that is known now")
	}
	return nil
}
