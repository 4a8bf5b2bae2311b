package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// The exit codes of every verb.
const (
	exitDone  = 0
	exitNo    = 1
	exitUsage = 2
)

// usageError is a command line that makes no sense.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, values ...any) error { return usageError{fmt.Sprintf(format, values...)} }

// exit ends the command with a code when everything was said already.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode prints what went wrong and turns it into the process's code.
func exitCode(stderr io.Writer, err error) int {
	var code exit
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		complain(stderr, err)
		return exitUsage
	}
	complain(stderr, err)
	return exitNo
}

// complain prints each problem of an error on lines of its own.
func complain(stderr io.Writer, err error) { stderr.Write(complaint(err)) }

// complaint is each problem of an error as `recipe: PROBLEM`, on a line of its own; nothing of nil.
func complaint(err error) (lines []byte) {
	if err == nil {
		return nil
	}
	for line := range strings.SplitSeq(strings.TrimRight(err.Error(), "\n"), "\n") {
		lines = fmt.Appendf(lines, "recipe: %s\n", printable(line))
	}
	return lines
}
