package probe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// web sends one GET on a connection of its own and wants a status, and a text in the body where one is expected. It uses
// net/http's parser and not its client: no redirects, no proxy, no pool, no goroutines.
type web struct {
	host   string
	port   int
	path   string
	status int
	expect string
}

func (p web) name() string { return "http " + strconv.Itoa(p.port) + p.path }

func (p web) run(ctx context.Context, within time.Duration) error {
	conn, hangUp, err := dial(ctx, p.host, p.port, within)
	if err != nil {
		return err
	}
	defer hangUp()
	return p.talk(conn, within)
}

func (p web) talk(conn io.ReadWriter, within time.Duration) error {
	address := net.JoinHostPort(p.host, strconv.Itoa(p.port))
	asked := "GET http://" + address + p.path
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: recipe\r\nAccept: */*\r\nConnection: close\r\n\r\n", p.path, address); err != nil {
		return fmt.Errorf("%s: %s", asked, why(err, within))
	}
	received := &counter{from: conn, left: answerLimit}
	if err := p.judge(received, within); err != nil {
		return fmt.Errorf("%s: %w", asked, err)
	}
	return nil
}

// judge reads the head, and the body only where a text is expected in it: a stream that never ends is an answer too.
func (p web) judge(received *counter, within time.Duration) error {
	answer := bufio.NewReader(received)
	var response *http.Response
	for response == nil || response.StatusCode < 200 { // 1xx announce the answer
		var err error
		if response, err = http.ReadResponse(answer, nil); err != nil {
			return received.broken(err, within)
		}
	}
	if response.StatusCode != p.status {
		to := ""
		if location := response.Header.Get("Location"); location != "" {
			to = " to " + excerpt([]byte(location))
		}
		return fmt.Errorf("status %d%s, wanted %d", response.StatusCode, to, p.status)
	}
	if p.expect == "" {
		return nil
	}
	received.left = 16 * answerLimit // what chunks of one byte each make of a body
	return p.seek(response.Body, received, within)
}

// seek looks for the expected text. The body is not closed: that would read it to its end.
func (p web) seek(body io.Reader, received *counter, within time.Duration) error {
	var seen []byte
	piece := make([]byte, 4096)
	for len(seen) < answerLimit {
		n, err := body.Read(piece[:min(len(piece), answerLimit-len(seen))])
		from := max(0, len(seen)-len(p.expect))
		seen = append(seen, piece[:n]...)
		if bytes.Contains(seen[from:], []byte(p.expect)) {
			return nil
		}
		if err == io.EOF {
			return fmt.Errorf("the body %s does not hold %s", excerpt(seen), excerpt([]byte(p.expect)))
		}
		if err != nil {
			return received.broken(err, within)
		}
	}
	return fmt.Errorf("%s is not in the first %d KiB of the body", excerpt([]byte(p.expect)), answerLimit>>10)
}

var errTooLong = errors.New("the answer is too long")

// counter reads up to left bytes, and keeps how many came and what ended them.
type counter struct {
	from  io.Reader
	left  int
	count int
	ended error
}

func (c *counter) Read(p []byte) (int, error) {
	if c.left <= 0 {
		c.ended = errTooLong
		return 0, c.ended
	}
	n, err := c.from.Read(p[:min(len(p), c.left)])
	c.left -= n
	c.count += n
	if err != nil {
		c.ended = err
	}
	return n, err
}

// broken says why there is no whole answer: the connection's reason before the parser's.
func (c *counter) broken(err error, within time.Duration) error {
	switch {
	case c.ended == nil:
		return fmt.Errorf("the answer is not HTTP: %w", err)
	case c.ended == errTooLong:
		return fmt.Errorf("no end of the header in the first %d KiB", answerLimit>>10)
	case c.count == 0:
		return errors.New(ending(c.ended, within))
	case timedOut(c.ended):
		return fmt.Errorf("no whole answer within %s, only %d bytes", span(within), c.count)
	}
	return fmt.Errorf("the answer breaks off after %d bytes: %s", c.count, ending(c.ended, within))
}
