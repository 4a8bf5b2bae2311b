package probe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// tcp connects, sends, and reads until expect has been seen, or any byte when it is empty.
type tcp struct {
	host         string
	port         int
	send, expect string
	connectOnly  bool
}

func (p tcp) name() string { return "tcp " + strconv.Itoa(p.port) }

func (p tcp) run(ctx context.Context, within time.Duration) error {
	conn, hangUp, err := dial(ctx, p.host, p.port, within)
	if err != nil {
		return err
	}
	defer hangUp()
	return p.talk(conn, within)
}

func (p tcp) talk(conn io.ReadWriter, within time.Duration) error {
	if p.connectOnly {
		return nil
	}
	if p.send != "" {
		if _, err := io.WriteString(conn, p.send); err != nil {
			return fmt.Errorf("send %s to %s: %s", excerpt([]byte(p.send)), p.address(), why(err, within))
		}
	}
	return p.await(conn, within)
}

func (p tcp) address() string { return net.JoinHostPort(p.host, strconv.Itoa(p.port)) }

func (p tcp) asked() string {
	if p.send == "" {
		return "waited for " + p.address() + " to speak"
	}
	return fmt.Sprintf("sent %s to %s", excerpt([]byte(p.send)), p.address())
}

// await reads until the answer is there. Each read looks only at what is new, and at what may have been cut by it.
func (p tcp) await(conn io.Reader, within time.Duration) error {
	var answer []byte
	piece := make([]byte, 4096)
	for {
		n, err := conn.Read(piece)
		from := max(0, len(answer)-len(p.expect))
		answer = append(answer, piece[:n]...)
		if n > 0 && bytes.Contains(answer[from:], []byte(p.expect)) {
			return nil
		}
		switch {
		case err == nil && len(answer) >= answerLimit:
			return fmt.Errorf("%s: %s is not in the first %d KiB of the answer", p.asked(), excerpt([]byte(p.expect)), answerLimit>>10)
		case err == nil:
		case len(answer) > 0 && timedOut(err):
			return fmt.Errorf("%s: found %s, wanted %s within %s", p.asked(), excerpt(answer), excerpt([]byte(p.expect)), span(within))
		case len(answer) > 0:
			return fmt.Errorf("%s: found %s, wanted %s, then: %s", p.asked(), excerpt(answer), excerpt([]byte(p.expect)), ending(err, within))
		default:
			return fmt.Errorf("%s: %s", p.asked(), ending(err, within))
		}
	}
}

// ending says how a connection ended.
func ending(err error, within time.Duration) string {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return "it closed the connection"
	}
	return why(err, within)
}
