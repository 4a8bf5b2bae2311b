package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"recipe/builtins/diag"
)

// style is how diagnostics are drawn on stderr.
func (s *Streams) style() diag.Style { return s.styleOf(s.Err) }

// styleOf is how diagnostics are drawn there: in colour where --color asks for it, or where it is a terminal that can
// (TERM names one, and is not dumb) and nobody objects (NO_COLOR is empty, https://no-color.org).
func (s *Streams) styleOf(out io.Writer) diag.Style {
	switch s.Color {
	case "always":
		return diag.Colour
	case "never":
		return diag.Plain
	}
	term := os.Getenv("TERM")
	if os.Getenv("NO_COLOR") == "" && term != "" && term != "dumb" && terminalOf(out) != nil {
		return diag.Colour
	}
	return diag.Plain
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
