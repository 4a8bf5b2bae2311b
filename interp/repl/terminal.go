package repl

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/reeflective/readline"
)

// Terminal takes inputs from the terminal that standard input and output are: edited, with a history kept in that file
// where one is given, with completions, and with what is known of the word at the cursor below the line. Each value of
// changed reloads the recipe, while an input is being typed as well.
func Terminal(ctx context.Context, s *Session, history string, changed <-chan struct{}) error {
	rl := readline.NewShell()
	// To ask the terminal where its cursor is would lose what was typed ahead of the answer.
	if err := rl.Config.Set("cursor-position-probe", false); err != nil {
		return fmt.Errorf("cannot set up the line editor: %w", err)
	}
	rl.Prompt.Primary(func() string { return "> " })
	rl.Prompt.Secondary(func() string { return ". " })
	rl.AcceptMultiline = func(line []rune) bool { return Complete(string(line) + "\n") }
	rl.Completer = func(line []rune, cursor int) readline.Completions { return completions(s, line, cursor) }
	rl.Hint.SetProvider(func(line []rune, cursor int) []rune { return []rune(s.Hint(line, cursor)) })
	if history != "" {
		rl.History.AddFromFile("recipe", history)
	}
	over := make(chan struct{})
	defer close(over)
	go func() {
		for {
			select {
			case <-over:
				return
			case _, open := <-changed:
				if !open {
					return
				}
				if r := s.Load(ctx); r.Text != "" {
					rl.PrintTransientf("%s", "the recipe changed\n"+r.Text)
				}
			}
		}
	}()
	for {
		line, err := rl.Readline()
		switch {
		case errors.Is(err, readline.ErrInterrupt):
			continue // the line is given up, not the session
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("cannot read from the terminal: %w", err)
		}
		r := s.Do(ctx, line)
		text := r.Text
		if text != "" && text[len(text)-1] != '\n' {
			text += "\n"
		}
		fmt.Print(text)
		if r.End {
			return nil
		}
	}
}

func completions(s *Session, line []rune, cursor int) readline.Completions {
	var pairs []string
	for _, c := range s.Complete(line, cursor) {
		pairs = append(pairs, c.Word, c.About)
	}
	before := string(line[:min(cursor, len(line))])
	prefix := lastWord(before)
	if len(pairs) > 0 && pairs[0][0] == ':' {
		prefix = ":" + prefix
	}
	c := readline.CompleteValuesDescribed(pairs...).NoSpace('=', ' ', '.')
	c.PREFIX = prefix
	return c
}
