package probe

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// web sends one request on a connection of its own and wants a status, and a text in the body where one is expected. It
// uses net/http's parser and not its client: no redirects, no proxy, no pool, no goroutines.
type web struct {
	socket
	url    string // of the request, for messages
	head   string // as it is sent
	method string
	path   string
	body   string
	status plan.Statuses
	expect []byte
}

func resolveHTTP(pr *plan.Probe, env *expr.Env) (exchange, error) {
	at, err := resolveSocket(pr, env)
	if err != nil {
		return nil, err
	}
	h := pr.HTTP
	p := web{socket: at, method: cmp.Or(h.Method, "GET"), path: h.Path, body: string(h.Body), status: h.Status, expect: []byte(h.Expect)}
	scheme, host := "http://", at.address
	if at.tls != nil {
		scheme, at.tls.speaks = "https://", []string{"http/1.1"}
	}
	if at.network == "unix" {
		host = "localhost"
		if at.tls != nil {
			host = at.tls.name
		}
	}
	p.url = scheme + host + h.Path
	if at.network == "unix" {
		p.url += " of " + at.address
	}
	p.head = p.request(host, h.Headers)
	return p, nil
}

// request is the head. What the recipe sets replaces what we would.
func (p web) request(host string, own []plan.Header) string {
	lines := []plan.Header{{Name: "Host", Value: host}, {Name: "User-Agent", Value: "recipe"}, {Name: "Accept", Value: "*/*"}}
	for _, h := range own {
		i := slices.IndexFunc(lines, func(l plan.Header) bool { return strings.EqualFold(l.Name, h.Name) })
		if i < 0 {
			lines = append(lines, h)
		} else {
			lines[i] = h
		}
	}
	if p.body != "" {
		lines = append(lines, plan.Header{Name: "Content-Length", Value: strconv.Itoa(len(p.body))})
	}
	lines = append(lines, plan.Header{Name: "Connection", Value: "close"})
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", p.method, p.path)
	for _, l := range lines {
		fmt.Fprintf(&b, "%s: %s\r\n", l.Name, l.Value)
	}
	return b.String() + "\r\n"
}

func (p web) name() string {
	if p.network == "unix" {
		return "http " + p.address + " " + p.path
	}
	return "http " + p.short() + p.path
}

func (p web) run(ctx context.Context, within time.Duration) (string, error) {
	conn, hangUp, err := p.dial(ctx, within)
	if err != nil {
		return "", err
	}
	defer hangUp()
	return p.talk(conn, within)
}

func (p web) talk(conn io.ReadWriter, within time.Duration) (evidence string, err error) {
	asked := p.method + " " + p.url
	if _, err := io.WriteString(conn, p.head+p.body); err != nil {
		return "", fmt.Errorf("%s: %s", asked, why(err, within))
	}
	received := &counter{from: conn, left: answerLimit}
	status, err := p.judge(received, within)
	if err != nil {
		return "", fmt.Errorf("%s: %w", asked, err)
	}
	return fmt.Sprintf("status %d", status), nil
}

// judge reads the head, and the body only where a text is expected in it: a stream that never ends is an answer too.
func (p web) judge(received *counter, within time.Duration) (status int, err error) {
	answer := bufio.NewReader(received)
	var response *http.Response
	for response == nil || response.StatusCode < 200 { // 1xx announce the answer
		if response, err = http.ReadResponse(answer, &http.Request{Method: p.method}); err != nil {
			return 0, received.broken(err, within)
		}
	}
	if !p.status.Has(response.StatusCode) {
		to := ""
		if location := response.Header.Get("Location"); location != "" {
			to = " to " + excerpt([]byte(location))
		}
		return 0, fmt.Errorf("status %d%s, wanted %s", response.StatusCode, to, p.status)
	}
	if len(p.expect) == 0 {
		return response.StatusCode, nil
	}
	received.left = 16 * answerLimit // what chunks of one byte each make of a body
	return response.StatusCode, p.seek(response.Body, received, within)
}

// seek looks for the expected text. The body is not closed: that would read it to its end.
func (p web) seek(body io.Reader, received *counter, within time.Duration) error {
	var seen []byte
	piece := make([]byte, 4096)
	for len(seen) < answerLimit {
		n, err := body.Read(piece[:min(len(piece), answerLimit-len(seen))])
		from := max(0, len(seen)-len(p.expect))
		seen = append(seen, piece[:n]...)
		if bytes.Contains(seen[from:], p.expect) {
			return nil
		}
		if err == io.EOF {
			return fmt.Errorf("the body %s does not hold %s", excerpt(seen), excerpt(p.expect))
		}
		if err != nil {
			return received.broken(err, within)
		}
	}
	return fmt.Errorf("%s is not in the first %d KiB of the body", excerpt(p.expect), answerLimit>>10)
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
