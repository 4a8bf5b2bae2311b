package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"recipe/builtins/diag"
)

type checkCommand struct {
	Files []string `arg:"" name:"file" help:"Recipes, plans' JSON, or - for standard input."`
	JSON  bool     `name:"json" xor:"format" help:"Print the diagnostics as JSON on stdout."`
	SARIF bool     `name:"sarif" xor:"format" help:"Print the diagnostics as a SARIF 2.1.0 log on stdout, for code review and editors."`
	Fix   bool     `help:"Mend in the files what has one right mend, and print the path of each that was changed."`
}

// Help is the long text of --help.
func (*checkCommand) Help() string {
	return `Says nothing of a recipe that is sound. Diagnostics go to stderr, each with its place, what was found and what is accepted. Warnings do not fail the check.

--fix writes into a file what has one right mend, and what is left is said as always. A mend is kept only if it leaves fewer errors, or as many and less to say, and no new one.

Exit codes: 0 all are sound, 1 one of them is not, 2 wrong usage.`
}

// Run evaluates every file, also after one that fails, as many at once as there are processors.
func (c *checkCommand) Run(s *Streams) error {
	if first := slices.Index(c.Files, "-"); first >= 0 && slices.Contains(c.Files[first+1:], "-") {
		return usagef("cannot check standard input twice")
	}
	if c.Fix && (c.JSON || c.SARIF || slices.Contains(c.Files, "-")) {
		return usagef("--fix mends files, and prints their paths: leave out --json, --sarif and -")
	}
	children := min(runtime.GOMAXPROCS(0), len(c.Files))
	e := s.evaluator()
	defer e.close()
	lists := make(diag.Lists, len(c.Files))
	errs := make([]error, len(c.Files))
	mended := make([]bool, len(c.Files))
	slots := make(chan struct{}, children)
	var all sync.WaitGroup
	for i, file := range c.Files {
		slots <- struct{}{}
		all.Go(func() {
			if c.Fix {
				mended[i], lists[i], errs[i] = e.fix(context.Background(), file)
			} else {
				lists[i], errs[i] = e.check(context.Background(), file, s.In)
			}
			if errs[i] != nil {
				errs[i] = fmt.Errorf("cannot check %s: %w", file, errs[i])
			}
			<-slots
		})
	}
	all.Wait()
	for i, file := range c.Files {
		if mended[i] {
			fmt.Fprintln(s.Out, printable(file))
		}
	}
	switch {
	case c.JSON:
		s.Out.Write(lists.JSON())
	case c.SARIF:
		log, err := sarif(slices.Concat(lists...))
		if err != nil {
			return err
		}
		s.Out.Write(log)
	default:
		fmt.Fprint(s.Err, lists.Text(s.style()))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if lists.Failed() {
		return exit(exitNo)
	}
	return nil
}
