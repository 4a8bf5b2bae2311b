package plan

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// A pattern is a regular expression that Go and grep -E, of any make, cannot read differently: it is parsed once, held to
// what both have, and written anew from its tree. So:
//   - It describes the whole text, and only texts of printable ASCII: '.', [^...] and the like stand for these characters
//     alone.
//   - It has literals, classes, groups, |, *, +, ? and {n,m}; neither anchors, nor flags, nor anything that looks around.
//   - It repeats nothing that may be empty: (a?)* costs the C library's matcher time that doubles with each nesting.

// The bounds of a pattern, which C libraries pay for with memory: bytes, and copies of one piece.
const (
	longestPattern = 200
	mostCopies     = 255
)

// CheckPattern tells what makes a text no pattern.
func CheckPattern(pattern string) error {
	_, err := PatternERE(pattern)
	return err
}

// PatternERE is the pattern as POSIX grep -E -x reads it in the C locale.
func PatternERE(pattern string) (string, error) {
	if len(pattern) > longestPattern {
		return "", fmt.Errorf("it is longer than %d bytes", longestPattern)
	}
	tree, err := syntax.Parse(pattern, syntax.ClassNL|syntax.DotNL|syntax.PerlX)
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		return "", fmt.Errorf("%s: %q", wrong.Code, wrong.Expr)
	}
	if err != nil {
		return "", err
	}
	w := &patternWriter{}
	text := w.write(tree, 1)
	if w.err == nil && text == "" {
		w.err = errors.New("it describes the empty text alone")
	}
	return text, w.err
}

// compilePattern is what matches the same texts in Go.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	text, err := PatternERE(pattern)
	if err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + text + `)\z`)
}

// patternWriter keeps the first thing that the two cannot both read.
type patternWriter struct{ err error }

func (w *patternWriter) refuse(format string, values ...any) string {
	if w.err == nil {
		w.err = fmt.Errorf(format, values...)
	}
	return ""
}

// write gives "" for what matches the empty text alone. copies is how often what is around repeats it.
func (w *patternWriter) write(re *syntax.Regexp, copies int) string {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return ""
	case syntax.OpLiteral:
		return w.literal(re)
	case syntax.OpCharClass:
		return w.class(re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "[ -~]"
	case syntax.OpCapture:
		return w.group(re.Sub[0], copies)
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			text := w.write(sub, copies)
			if sub.Op == syntax.OpAlternate {
				text = parenthesized(text)
			}
			b.WriteString(text)
		}
		return b.String()
	case syntax.OpAlternate:
		return w.alternate(re, copies)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		return w.repeat(re, copies)
	case syntax.OpNoMatch:
		return w.refuse("a class in it takes no character of printable ASCII")
	}
	return w.refuse(`it describes the whole text, so that ^, $, \b and the like have no place in it`)
}

func (w *patternWriter) group(re *syntax.Regexp, copies int) string {
	return parenthesized(w.write(re, copies))
}

func parenthesized(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func (w *patternWriter) literal(re *syntax.Regexp) string {
	if re.Flags&syntax.FoldCase != 0 {
		return w.refuse("a pattern tells capitals from small letters: write both, as in [aA]")
	}
	var b strings.Builder
	for _, r := range re.Rune {
		if r < ' ' || r > '~' {
			return w.refuse("%q is not printable ASCII", r)
		}
		b.WriteString(itself(r))
	}
	return b.String()
}

// itself is a pattern of one character.
func itself(r rune) string {
	if strings.ContainsRune(`\.[]{}()*+?^$|`, r) {
		return `\` + string(r)
	}
	return string(r)
}

// class writes a bracket expression: in the order of ASCII, but for what is special at its place in one. Within brackets
// [ may begin a name, and a backslash escapes in RE2 and not in POSIX: these two stand beside them.
func (w *patternWriter) class(ranges []rune) string {
	var beside []string
	var first, middle, last string
	count := 0
	for i := 0; i < len(ranges); i += 2 {
		for r := max(ranges[i], ' '); r <= min(ranges[i+1], '~'); r++ {
			count++
			switch r {
			case '[', '\\':
				beside = append(beside, itself(r))
			case ']':
				first = "]"
			case '^':
				last = "^" + last
			case '-':
				last += "-"
			default:
				middle += string(r)
			}
		}
	}
	set := first + shortened(middle) + last
	switch {
	case count == 0:
		return w.refuse("a class in it takes no character of printable ASCII")
	case count == 1 && len(beside) == 1:
		return beside[0]
	case set == "^": // which negates where it stands first
		set = `\^`
	case set == "^-":
		set = "[-^]"
	case len(set) == 1:
		set = itself(rune(set[0]))
	case set != "":
		set = "[" + set + "]"
	}
	if set != "" {
		beside = append(beside, set)
	}
	if len(beside) == 1 {
		return beside[0]
	}
	return "(" + strings.Join(beside, "|") + ")"
}

// shortened writes runs of letters, or of digits, as ranges.
func shortened(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		end := i
		for end+1 < len(text) && text[end+1] == text[end]+1 && neighbours(text[i], text[end+1]) {
			end++
		}
		if end-i > 2 {
			b.WriteString(text[i:i+1] + "-" + text[end:end+1])
		} else {
			b.WriteString(text[i : end+1])
		}
		i = end + 1
	}
	return b.String()
}

func neighbours(a, b byte) bool {
	kind := func(c byte) int {
		switch {
		case c >= '0' && c <= '9':
			return 1
		case c >= 'A' && c <= 'Z':
			return 2
		case c >= 'a' && c <= 'z':
			return 3
		}
		return 0
	}
	return kind(a) != 0 && kind(a) == kind(b)
}

// alternate writes what may also be nothing behind a question mark: an empty branch is no POSIX.
func (w *patternWriter) alternate(re *syntax.Regexp, copies int) string {
	var branches []string
	empty := false
	for _, sub := range re.Sub {
		text := w.write(sub, copies)
		if text == "" {
			empty = true
			continue
		}
		branches = append(branches, text)
	}
	text := strings.Join(branches, "|")
	if empty && text != "" {
		return "(" + text + ")?"
	}
	return text
}

func mayBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpStar, syntax.OpQuest:
		return true
	case syntax.OpRepeat:
		return re.Min == 0 || mayBeEmpty(re.Sub[0])
	case syntax.OpCapture, syntax.OpPlus:
		return mayBeEmpty(re.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !mayBeEmpty(sub) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, mayBeEmpty)
	}
	return false
}

func (w *patternWriter) repeat(re *syntax.Regexp, copies int) string {
	if re.Flags&syntax.NonGreedy != 0 {
		return w.refuse("%s prefers less, which says nothing where the whole text is described", re)
	}
	low, high := 0, -1
	switch re.Op {
	case syntax.OpPlus:
		low = 1
	case syntax.OpQuest:
		high = 1
	case syntax.OpRepeat:
		low, high = re.Min, re.Max
	}
	if copies *= max(low, high, 1); copies > mostCopies {
		return w.refuse("it repeats something more than %d times", mostCopies)
	}
	text := w.write(re.Sub[0], copies)
	if text == "" || high == 0 {
		return ""
	}
	if high != 1 && mayBeEmpty(re.Sub[0]) {
		return w.refuse("it repeats something that may be empty: leave the inner *, ? or {0,n} out")
	}
	switch sub := re.Sub[0]; sub.Op {
	case syntax.OpCharClass, syntax.OpCapture, syntax.OpAnyChar:
	case syntax.OpLiteral:
		if len(sub.Rune) > 1 {
			text = parenthesized(text)
		}
	default:
		text = parenthesized(text)
	}
	switch {
	case low == 0 && high == 1:
		return text + "?"
	case low == 0 && high < 0:
		return text + "*"
	case low == 1 && high < 0:
		return text + "+"
	case high < 0:
		return fmt.Sprintf("%s{%d,}", text, low)
	case low == high:
		return fmt.Sprintf("%s{%d}", text, low)
	}
	return fmt.Sprintf("%s{%d,%d}", text, low, high)
}
