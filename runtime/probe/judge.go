package probe

import (
	"context"
	"io"
	"os"
	"time"
)

// Given stands in place of a service: what it says to one question after another, and how a command that asks it ends.
type Given struct {
	Replies []Reply
	Exit    int    // of an exec probe's command
	Output  []byte // and what it says
}

// Reply is what a daemon says to one question, or before it is asked any. Behind it the connection is closed unless more
// is asked. One that is Silent never comes.
type Reply struct {
	Text   []byte
	Silent bool
}

// Judge judges what is given, by the code that judges what a service says. Nothing is connected to or started; nil means
// healthy. A script's function is called by the Scripts of Resolve.
func (t *Target) Judge(g Given) error { return t.ask.replay(g, t.Timeout) }

// answers are replies that have not been given yet, over all connections of one probe.
type answers struct{ left []Reply }

// next is the reply to one more question; ended is true behind the last one.
func (a *answers) next() (text []byte, ended bool, err error) {
	if len(a.left) == 0 {
		return nil, true, nil
	}
	r := a.left[0]
	a.left = a.left[1:]
	if r.Silent {
		return nil, false, os.ErrDeadlineExceeded
	}
	return r.Text, false, nil
}

// replayed is a connection to a daemon of which all replies are known. It is asked when something was written since its
// last reply, and once before that: some speak first.
type replayed struct {
	from   *answers
	told   bool
	unread []byte
}

func (r *replayed) Write(asked []byte) (int, error) {
	r.told = false
	return len(asked), nil
}

func (r *replayed) Read(p []byte) (int, error) {
	if len(r.unread) == 0 && !r.told {
		text, ended, err := r.from.next()
		r.told = true
		switch {
		case err != nil:
			return 0, err
		case ended:
			return 0, io.EOF
		}
		r.unread = text
	}
	if len(r.unread) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

func (p tcp) replay(g Given, within time.Duration) error {
	_, err := p.talk(&replayed{from: &answers{g.Replies}}, within)
	return err
}

func (p web) replay(g Given, within time.Duration) error {
	_, err := p.talk(&replayed{from: &answers{g.Replies}}, within)
	return err
}

func (p scripted) replay(g Given, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	_, err := p.call(&desk{ctx: ctx, within: within, given: &answers{g.Replies}})
	return err
}
