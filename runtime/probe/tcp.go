package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// tcp connects, and asks round after round: it sends, and reads until what is wanted has been seen, or any byte where
// nothing is.
type tcp struct {
	socket
	rounds      []plan.Round
	connectOnly bool
}

func resolveTCP(pr *plan.Probe, env *expr.Env) (exchange, error) {
	at, err := resolveSocket(pr, env)
	if err != nil {
		return nil, err
	}
	return tcp{socket: at, rounds: pr.TCP.Rounds(), connectOnly: pr.TCP.ConnectOnly}, nil
}

func (p tcp) name() string { return "tcp " + p.short() }

func (p tcp) run(ctx context.Context, within time.Duration) (string, error) {
	conn, hangUp, err := p.dial(ctx, within)
	if err != nil {
		return "", err
	}
	defer hangUp()
	return p.talk(conn, within)
}

func (p tcp) talk(conn io.ReadWriter, within time.Duration) (evidence string, err error) {
	if p.connectOnly {
		return "", nil
	}
	c := &conversation{conn: conn, address: p.address, within: within}
	for _, round := range p.rounds {
		if err := c.round([]byte(round.Send), []byte(round.Expect)); err != nil {
			return "", err
		}
	}
	return excerpt(c.found), nil
}

// conversation is what has been read, and not yet used up by a round.
type conversation struct {
	conn    io.ReadWriter
	address string
	within  time.Duration
	unread  []byte
	found   []byte // of the last round, up to what was wanted
	total   int    // bytes read
}

func (c *conversation) round(send, expect []byte) error {
	if len(send) > 0 {
		if _, err := c.conn.Write(send); err != nil {
			return fmt.Errorf("send %s to %s: %s", excerpt(send), c.address, why(err, c.within))
		}
	}
	if err := c.await(expect); err != nil {
		if len(send) == 0 {
			return fmt.Errorf("waited for %s to speak: %w", c.address, err)
		}
		return fmt.Errorf("sent %s to %s: %w", excerpt(send), c.address, err)
	}
	return nil
}

// await reads until the answer is there. Each look is only at what is new, and at what may have been cut before it.
func (c *conversation) await(expect []byte) error {
	answer := c.unread
	piece := make([]byte, 4096)
	for from := 0; ; {
		if at := bytes.Index(answer[from:], expect); at >= 0 && len(answer) > 0 {
			end := from + at + len(expect)
			if len(expect) == 0 {
				end = len(answer)
			}
			c.found, c.unread = answer[:end], answer[end:]
			return nil
		}
		if c.total >= answerLimit {
			return fmt.Errorf("%s is not in the first %d KiB of the answer", excerpt(expect), answerLimit>>10)
		}
		from = max(0, len(answer)-len(expect))
		n, err := c.conn.Read(piece)
		answer = append(answer, piece[:n]...)
		c.total += n
		if n > 0 || err == nil {
			continue // what ended the connection is seen again
		}
		switch {
		case len(answer) > 0 && timedOut(err):
			return fmt.Errorf("found %s, wanted %s within %s", excerpt(answer), excerpt(expect), span(c.within))
		case len(answer) > 0:
			return fmt.Errorf("found %s, wanted %s, then: %s", excerpt(answer), excerpt(expect), ending(err, c.within))
		}
		return errors.New(ending(err, c.within))
	}
}

// ending says how a connection ended.
func ending(err error, within time.Duration) string {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return "it closed the connection"
	}
	return why(err, within)
}
