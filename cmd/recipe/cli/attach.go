package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/logs"
	tty "recipe/runtime/terminal"
)

type attachCommand struct {
	Service    string        `arg:"" help:"The service."`
	ReadOnly   bool          `help:"Look only: type nothing, and leave the size as it is."`
	DetachKeys string        `default:"ctrl-]" placeholder:"KEYS" help:"The keys that detach, as in ctrl-p,ctrl-q (${default})."`
	Wait       time.Duration `default:"1s" help:"With input that is no terminal: detach when it has ended, and the service has said nothing for so long (${default})."`
	Why        string        `placeholder:"TEXT" help:"The reason, for the record: one line."`
}

// Help is the long text of --help.
func (*attachCommand) Help() string {
	return `Shows what the service wrote on its terminal last, and goes on with what it writes; what is typed, ctrl-C included, goes to the service. It needs "terminal = True" in the recipe; what a service without one writes is shown until interrupted.

Several may attach at once. The terminal of the service has the smallest of their sizes, and keeps the last when all are gone. Whoever does not keep up misses something, which is said, and holds up nobody. A restart is told, and followed; so is an upgrade of the supervisor, on a terminal.

What the supervisor tells goes to stderr. Through a pipe, what is read from stdin is typed as it is.

Exit codes: 0 detached, or the service is no more; 1 it could not be done, or the supervisor is gone; 2 wrong usage.`
}

// Run attaches until the keys, a signal, or the end of the service or of the input.
func (c *attachCommand) Run(s *Streams) error {
	keys, err := tty.ParseKeys(c.DetachKeys)
	if err != nil {
		return usagef("cannot detach by %q: %v", c.DetachKeys, err)
	}
	ctx, stop := interruptible()
	defer stop()
	found, err := survey(ctx, s)
	if err != nil {
		return err
	}
	f, err := found.Find(c.Service)
	if err != nil {
		return err
	}
	if !f.Terminal {
		fmt.Fprintf(s.Err, "recipe: %s has no terminal, so that it is shown and nothing can be typed; terminal = True in its service(...) gives it one\n", c.Service)
		return logs.Follow(ctx, f.LogDir, c.Service, screenful, outputTo(s.Out))
	}
	own := newScreen(s.In, s.Out)
	a := &attachment{ctx: ctx, attach: func(ctx context.Context) (*control.Attached, error) {
		how := control.Attach{ReadOnly: c.ReadOnly}
		how.Columns, how.Rows = own.size()
		return f.Client.Attach(ctx, c.Service, c.Why, how)
	}}
	if a.now, err = a.attach(ctx); err != nil {
		return err
	}
	defer a.close()
	if !c.ReadOnly {
		if err := own.raw(); err != nil {
			return fmt.Errorf("cannot attach to %s: this terminal takes no other mode: %w", c.Service, err)
		}
	}
	defer own.restore()
	switch keys := strings.ReplaceAll(c.DetachKeys, ",", " "); {
	case own.typed != nil && !c.ReadOnly:
		own.note(s.Err, fmt.Sprintf("attached to %s; %s detaches", c.Service, keys))
	case own.typed != nil:
		own.note(s.Err, fmt.Sprintf("attached to %s, to look only; ctrl-c ends that", c.Service))
	}
	return c.hold(ctx, s, own, a, keys)
}

// screenful is how many lines a service without a terminal is shown with at first.
const screenful = 24

// hold passes on what is typed and what is shown until one side ends it.
func (c *attachCommand) hold(ctx context.Context, s *Streams, own *screen, a *attachment, keys tty.Keys) error {
	quiet := newSilence(c.Wait)
	over := make(chan error, 2)
	if !c.ReadOnly {
		go func() {
			defer own.restoreOnPanic()
			typed := error(nil)
			if own.typed != nil {
				typed = typeInto(a, s.In, &tty.Watch{Keys: keys})
			} else if _, typed = io.Copy(a, s.In); typed == nil {
				quiet.begin()
				return
			}
			over <- typed
		}()
		defer own.follow(func() { a.resize(own.size()) })()
	}
	go func() {
		defer own.restoreOnPanic()
		over <- c.show(own, s, a, quiet)
	}()
	select {
	case err := <-over:
		return err
	case <-quiet.over:
	case <-ctx.Done():
	}
	return nil
}

// typeInto types until the keys to detach, or the end of the terminal.
func typeInto(a io.Writer, from io.Reader, watch *tty.Watch) error {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		input, detach := watch.Typed(buffer[:n])
		if len(input) > 0 {
			if _, err := a.Write(input); err != nil {
				return nil // whoever reads says why
			}
		}
		if detach || err != nil {
			return nil
		}
	}
}

// show shows until nothing more comes. On a terminal it goes on with the successor of a supervisor that went away, which
// shows all that the screen had; elsewhere that would be there twice.
func (c *attachCommand) show(own *screen, s *Streams, a *attachment, quiet *silence) error {
	for {
		written, note, err := a.current().Next()
		quiet.broken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && own.shown != nil && a.ctx.Err() == nil:
			away, err := a.again(func() {
				own.note(s.Err, fmt.Sprintf("the supervisor is gone; its successor is waited for, %s at most", awayPatience))
			})
			if err != nil {
				return fmt.Errorf("attached to %s no longer: the supervisor went away: %w", c.Service, err)
			}
			own.clear()
			own.note(s.Err, backAgain(away))
		case err != nil:
			return fmt.Errorf("attached to %s no longer: %w", c.Service, err)
		case note != "":
			own.note(s.Err, printable(note))
		default:
			if err := own.show(written); err != nil {
				return nil // the answer's writer says it
			}
		}
	}
}

// silence ends when nothing has been said for a time, once it has begun.
type silence struct {
	wait  time.Duration
	heard chan struct{}
	over  chan struct{}
}

func newSilence(wait time.Duration) *silence {
	return &silence{wait: wait, heard: make(chan struct{}, 1), over: make(chan struct{})}
}

func (q *silence) broken() {
	select {
	case q.heard <- struct{}{}:
	default:
	}
}

// begin returns when it is over.
func (q *silence) begin() {
	for {
		select {
		case <-q.heard:
		case <-time.After(q.wait):
			close(q.over)
			return
		}
	}
}

// follow calls changed whenever the size of the terminal has changed.
func (t *screen) follow(changed func()) (stop func()) {
	if t.typed == nil {
		return func() {}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				changed()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
