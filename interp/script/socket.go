package script

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.starlark.net/starlark"
)

// place is where a socket is connected to, as the parent takes it.
type place struct {
	Host       string
	Port       int
	Unix       string
	TLS        bool
	ServerName string
	CA         string
	Insecure   bool
}

// pairs are the place's parameters for UnpackArgs.
func (p *place) pairs() []any {
	return []any{"port?", &p.Port, "unix?", &p.Unix, "host?", &p.Host, "tls?", &p.TLS, "server_name?", &p.ServerName, "ca?", &p.CA, "insecure?", &p.Insecure}
}

// connection is a socket that the parent holds. What was read and not yet taken is kept here.
type connection struct {
	run   *run
	id    int
	kept  []byte
	ended bool
}

// mostRead bounds what a function reads of one connection at a time, in bytes.
const mostRead = 1 << 20

func (r *run) connect(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var p place
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, p.pairs()...); err != nil {
		return nil, err
	}
	return r.open(p)
}

func (r *run) open(p place) (*connection, error) {
	id, err := asks[int](r, "connect", p)
	if err != nil {
		return nil, err
	}
	return &connection{run: r, id: id}, nil
}

func (r *run) udp(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var send starlark.Value
	q := struct {
		Host string
		Port int
		Data []byte
	}{}
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "port", &q.Port, "send", &send, "host?", &q.Host); err != nil {
		return nil, err
	}
	var err error
	if q.Data, err = data(send); err != nil {
		return nil, fmt.Errorf("udp: %w", err)
	}
	answer, err := asks[[]byte](r, "udp", q)
	return starlark.Bytes(answer), err
}

var _ starlark.HasAttrs = (*connection)(nil)

func (c *connection) String() string        { return "connection" }
func (c *connection) Type() string          { return "connection" }
func (c *connection) Freeze()               {}
func (c *connection) Truth() starlark.Bool  { return true }
func (c *connection) Hash() (uint32, error) { return 0, errors.New("a connection cannot be a key") }

// AttrNames lists the methods.
func (c *connection) AttrNames() []string {
	return []string{"close", "line", "read", "read_until", "send", "start_tls"}
}

// Attr gives a method.
func (c *connection) Attr(name string) (starlark.Value, error) {
	method := map[string]func(*starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error){
		"close": c.close, "line": c.line, "read": c.take, "read_until": c.until, "send": c.send, "start_tls": c.startTLS,
	}[name]
	if method == nil {
		return nil, nil
	}
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return method(b, args, kwargs)
	}), nil
}

func (c *connection) send(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var what starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "what", &what); err != nil {
		return nil, err
	}
	text, err := data(what)
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return starlark.None, c.write(text)
}

func (c *connection) write(text []byte) error {
	_, err := asks[bool](c.run, "send", struct {
		ID   int
		Data []byte
	}{c.id, text})
	return err
}

// Read gives what is kept, and then asks for more.
func (c *connection) Read(p []byte) (int, error) {
	if len(c.kept) == 0 {
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.kept)
	c.kept = c.kept[n:]
	return n, nil
}

// fill waits for more.
func (c *connection) fill() error {
	if c.ended {
		return io.EOF
	}
	more, err := asks[struct {
		Data  []byte
		Ended bool
	}](c.run, "read", struct{ ID int }{c.id})
	if err != nil {
		return err
	}
	c.kept, c.ended = append(c.kept, more.Data...), more.Ended
	if len(more.Data) == 0 && c.ended {
		return io.EOF
	}
	return nil
}

// take reads so many bytes.
func (c *connection) take(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	n := 0
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "count", &n); err != nil {
		return nil, err
	}
	if n < 0 || n > mostRead {
		return nil, fmt.Errorf("read: %d is no count from 0 to %d", n, mostRead)
	}
	for len(c.kept) < n {
		if err := c.fill(); err != nil {
			return nil, fmt.Errorf("read: found %s, wanted %d bytes: %s", shown(c.kept), n, ending(err))
		}
	}
	return starlark.Bytes(c.cut(n)), nil
}

func (c *connection) until(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var end starlark.Value
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "end", &end); err != nil {
		return nil, err
	}
	delimiter, err := data(end)
	if err != nil || len(delimiter) == 0 {
		return nil, errors.New("read_until: it needs a text or bytes to read to")
	}
	found, err := c.to(delimiter)
	if err != nil {
		return nil, fmt.Errorf("read_until: %w", err)
	}
	if _, text := end.(starlark.String); text {
		return starlark.String(found), nil
	}
	return starlark.Bytes(found), nil
}

// line reads a line, and leaves its end out.
func (c *connection) line(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	found, err := c.to([]byte("\n"))
	if err != nil {
		return nil, fmt.Errorf("line: %w", err)
	}
	return starlark.String(bytes.TrimRight(found, "\r\n")), nil
}

func (c *connection) to(delimiter []byte) ([]byte, error) {
	for from := 0; ; {
		if at := bytes.Index(c.kept[from:], delimiter); at >= 0 {
			return c.cut(from + at + len(delimiter)), nil
		}
		if len(c.kept) > mostRead {
			return nil, fmt.Errorf("%s is not in the first %d bytes", shown(delimiter), mostRead)
		}
		from = max(0, len(c.kept)-len(delimiter))
		if err := c.fill(); err != nil {
			return nil, fmt.Errorf("found %s, wanted %s: %s", shown(c.kept), shown(delimiter), ending(err))
		}
	}
}

func (c *connection) cut(n int) []byte {
	found := bytes.Clone(c.kept[:n])
	c.kept = c.kept[n:]
	return found
}

func (c *connection) startTLS(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	q := struct {
		ID             int
		ServerName, CA string
		Insecure       bool
	}{ID: c.id}
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "server_name?", &q.ServerName, "ca?", &q.CA, "insecure?", &q.Insecure); err != nil {
		return nil, err
	}
	_, err := asks[bool](c.run, "start_tls", q)
	return starlark.None, err
}

func (c *connection) close(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if err := starlark.UnpackArgs(b.Name(), args, kwargs); err != nil {
		return nil, err
	}
	_, err := asks[bool](c.run, "close", struct{ ID int }{c.id})
	return starlark.None, err
}

func ending(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it closed the connection"
	}
	return err.Error()
}

func shown(b []byte) string {
	if len(b) > 60 {
		return fmt.Sprintf("%q...", b[:60])
	}
	return fmt.Sprintf("%q", b)
}
