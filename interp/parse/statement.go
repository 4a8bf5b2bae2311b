package parse

// statement is a stretch of lines that holds one statement of the top level, as far as can be told without reading it.
type statement struct {
	tokens      []token
	first, last int   // lines from 1
	next        token // that begins the next statement; none at the end of the file
}

// statements divides a file at the tokens that begin a line without indentation. Inside of brackets only what can be
// nothing but a statement divides. Brackets are counted in each statement anew.
func statements(tokens []token, lines int) []statement {
	var list []statement
	var open []int
	start := 0
	for i := range tokens {
		if i > start && begins(tokens, i, len(open) > 0) {
			list = append(list, statement{tokens[start:i], tokens[start].line, tokens[i].line - 1, tokens[i]})
			start, open = i, nil
		}
		open = enclose(tokens[start:], i-start, open)
	}
	if len(tokens) > 0 {
		list = append(list, statement{tokens: tokens[start:], first: tokens[start].line, last: lines})
	}
	return list
}

// enclose tells a token the bracket that it lies in, and gives the brackets that are open behind it. A closing one takes
// along those within its own that were left open; one that closes nothing changes nothing.
func enclose(tokens []token, i int, open []int) []int {
	t := &tokens[i]
	t.open = -1
	if len(open) > 0 {
		t.open = open[len(open)-1]
	}
	if t.kind != sign {
		return open
	}
	if opener(t.text) {
		return append(open, i)
	}
	if closer(t.text) {
		for n := len(open) - 1; n >= 0 && n >= len(open)-mostOpen; n-- {
			if pairs(tokens[open[n]].text, t.text) {
				return open[:n]
			}
		}
	}
	return open
}

// mostOpen is how many brackets one that closes is compared with: text of nothing but brackets must not take for ever.
const mostOpen = 50

// begins reports whether a statement begins at a token.
func begins(tokens []token, i int, enclosed bool) bool {
	t, before := tokens[i], tokens[i-1]
	if t.column != 1 || before.endLine == t.line || before.text == "\\" || t.kind == sign && closer(t.text) {
		return false
	}
	switch t.text {
	case "else", "elif", "except", "finally", "return":
		return false
	}
	if !enclosed {
		return true
	}
	last := i
	for last+1 < len(tokens) && tokens[last+1].line == t.line {
		last++
	}
	next := at(tokens, i+1)
	switch {
	case t.kind != word || tokens[last].text == ",":
		return false
	case t.text == "def" || t.text == "load":
		return true
	}
	return next.text == "(" && next.glued || next.text == "="
}

// apart reports whether leaving the statement out can change nothing of the others but the names that it mentions: it
// calls a word, gives a name, or defines a function.
func (s statement) apart() bool {
	first, next := at(s.tokens, 0), at(s.tokens, 1)
	switch first.text {
	case "if", "for", "while", "else", "elif", "with", "try":
		return false
	}
	return first.kind != word || next.text != "." && next.text != "["
}
