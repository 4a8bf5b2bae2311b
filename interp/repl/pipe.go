package repl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"recipe/interp"
)

// mostInput bounds one input, in bytes.
const mostInput = 1 << 20

// Pipe takes inputs from a reader until it ends or one of them ends the session, and writes answers to out and errors to
// complaints.
func Pipe(ctx context.Context, s *Session, in io.Reader, out, complaints io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, mostInput)
	var input strings.Builder
	do := func() bool {
		r := s.Do(ctx, input.String())
		input.Reset()
		show(r, out, complaints)
		return r.End
	}
	for ctx.Err() == nil && lines.Scan() {
		input.WriteString(lines.Text() + "\n")
		if input.Len() > mostInput {
			return fmt.Errorf("cannot take an input of more than %d KiB", mostInput>>10)
		}
		if !Complete(input.String()) {
			continue
		}
		if do() {
			return nil
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("cannot take a line of more than %d KiB", mostInput>>10)
	} else if err != nil {
		return fmt.Errorf("cannot read the inputs: %w", err)
	}
	if strings.TrimSpace(input.String()) != "" {
		do()
	}
	return nil
}

// Complete reports whether an input is whole: a command is by its line, a block by the empty line behind it.
func Complete(input string) bool {
	trimmed := strings.TrimSpace(input)
	if strings.HasPrefix(trimmed, ":") || strings.HasPrefix(trimmed, "?") || strings.HasSuffix(trimmed, "?") {
		return true
	}
	return !interp.Unfinished(input)
}

func show(r Reply, out, complaints io.Writer) {
	text := r.Text
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if r.Error {
		io.WriteString(complaints, text)
		return
	}
	io.WriteString(out, text)
}
