package diag

// Style is how text is drawn.
type Style bool

// The styles. Colour is for a terminal alone: it adds SGR sequences (ECMA-48), and changes nothing else.
const (
	Plain  Style = false
	Colour Style = true
)

// The SGR parameters in use: those that every terminal has.
const (
	bold   = "1"
	faint  = "2"
	red    = "1;31"
	yellow = "1;33"
	blue   = "1;34"
	cyan   = "1;36"
)

func (s Style) paint(sgr, text string) string {
	if s == Plain || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

func (s Severity) colour() string {
	switch s {
	case Warning:
		return yellow
	case Note:
		return cyan
	}
	return red
}
