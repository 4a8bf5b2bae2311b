package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Attach is how an operator attaches to a service. Columns and Rows are the size of their terminal, 0 where there is none.
type Attach struct {
	ReadOnly bool `json:"read_only,omitempty"`
	Columns  int  `json:"columns,omitempty"`
	Rows     int  `json:"rows,omitempty"`
}

// Attachment is what a Backend gives to somebody who attached. Next waits for what the daemon wrote, or for a note of the
// supervisor's, and ends with io.EOF. Write types; what the daemon does not take is no error. Close ends Next.
type Attachment interface {
	Next() (written []byte, note string, err error)
	Write(p []byte) (int, error)
	Resize(columns, rows int)
	Close() error
}

type attachRequest struct {
	actionRequest
	Attach
}

// protocol is what the connection is upgraded to.
const protocol = "recipe-attach"

// mostAttached bounds those who are attached at once, over all services. They are none of the connections that requests have.
const mostAttached = 64

// attachments are the connections of those who are attached.
type attachments struct {
	mu      sync.Mutex
	open    map[net.Conn]struct{}
	closed  bool
	running sync.WaitGroup
}

// add reports false where there is no room.
func (a *attachments) add(c net.Conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || len(a.open) >= mostAttached {
		return false
	}
	if a.open == nil {
		a.open = map[net.Conn]struct{}{}
	}
	a.open[c] = struct{}{}
	a.running.Add(1)
	return true
}

func (a *attachments) remove(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, c)
	a.running.Done()
}

// close gives them time to read the last words.
func (a *attachments) close(wait time.Duration) {
	a.mu.Lock()
	a.closed = true
	late := time.Now().Add(wait)
	for c := range a.open {
		c.SetDeadline(late)
	}
	a.mu.Unlock()
	a.running.Wait()
}

// attach upgrades the connection.
func (s *server) attach(w http.ResponseWriter, r *http.Request) {
	var request attachRequest
	by, err := s.caller(w, r, &request, &request.actionRequest)
	if err == nil && !strings.EqualFold(r.Header.Get("Upgrade"), protocol) {
		err = &Error{Code: BadRequest, Message: "to attach is to go on with another protocol: the request has to say Upgrade: " + protocol}
	}
	if err != nil {
		refuse(w, err)
		return
	}
	if peer(r).may < command && !request.ReadOnly {
		refuse(w, &Error{Code: Forbidden, Message: "you may look at this supervisor, and not type into its services", Hint: "--read-only attaches to look"})
		return
	}
	attachment, err := s.backend.Attach(r.Context(), r.PathValue("name"), by, request.Attach)
	if err != nil {
		refuse(w, err)
		return
	}
	defer attachment.Close()
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		refuse(w, err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(s.bounds.answer))
	if !s.attached.add(conn) {
		e := &Error{Code: Refused, Message: fmt.Sprintf("%d are attached to services of this supervisor already, which is the most", mostAttached)}
		body, _ := json.Marshal(e)
		fmt.Fprintf(conn, "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
		return
	}
	defer s.attached.remove(conn)
	if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+protocol+"\r\n\r\n"); err != nil {
		return
	}
	conn.SetDeadline(time.Time{})
	if c, ok := conn.(*connection); ok {
		c.release() // another request may take the place
	}
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		show(conn, attachment)
		conn.Close() // which ends the reader
	}()
	obey(buffered.Reader, attachment)
	attachment.Close()
	<-shown
}

// show sends what there is to see, until there is nothing more or the client is gone.
func show(to io.Writer, a Attachment) {
	var frames []byte
	for {
		written, note, err := a.Next()
		switch {
		case err != nil:
			frames = AppendFrame(frames[:0], Ended, nil)
		case note != "":
			frames = AppendFrame(frames[:0], Noted, []byte(note))
		default:
			frames = AppendFrame(frames[:0], Written, written)
		}
		if _, failed := to.Write(frames); failed != nil || err != nil {
			return
		}
	}
}

// obey does what the client says, until it detaches or says what nobody understands.
func obey(from io.Reader, a Attachment) {
	buffer := make([]byte, MostFrame)
	for {
		f, err := ReadFrame(from, buffer)
		if err == nil && f.Kind == Typed {
			_, err = a.Write(f.Data)
		}
		if err != nil {
			return
		}
		if f.Kind == Resized {
			a.Resize(f.size())
		}
	}
}

// Attached is a client's side of an attachment. Next is for one goroutine; Write, Resize and Close may be called beside it.
type Attached struct {
	conn   net.Conn
	reader *bufio.Reader
	buffer []byte
	mu     sync.Mutex
}

// Attach attaches to a service that has a terminal.
func (c *Client) Attach(ctx context.Context, service, why string, how Attach) (*Attached, error) {
	data, err := json.Marshal(attachRequest{actionRequest{Why: why, SudoUser: c.sudo}, how})
	if err != nil {
		return nil, fmt.Errorf("cannot encode the request: %w", err)
	}
	conn, err := dial(ctx, c.Path)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	request, err := http.NewRequest("POST", "http://recipe/v1/services/"+url.PathEscape(service)+"/attach", strings.NewReader(string(data)))
	if err == nil {
		request.Header.Set("Connection", "Upgrade")
		request.Header.Set("Upgrade", protocol)
		err = request.Write(conn)
	}
	reader := bufio.NewReaderSize(conn, MostFrame)
	var response *http.Response
	if err == nil {
		response, err = http.ReadResponse(reader, request)
	}
	if err != nil {
		conn.Close()
		return nil, c.unreachable(ctx, err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		defer conn.Close()
		data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return nil, c.unreachable(ctx, err)
		}
		return nil, c.refusal(response, data)
	}
	return &Attached{conn: conn, reader: reader, buffer: make([]byte, MostFrame)}, nil
}

// ErrLost is what Next ends with when the supervisor is gone.
var ErrLost = errors.New("the supervisor is gone")

// Next waits for what the daemon wrote, valid until the next call, or for a note. It ends with io.EOF where there will be nothing more, and with ErrLost where the supervisor did not say so.
func (a *Attached) Next() (written []byte, note string, err error) {
	f, err := ReadFrame(a.reader, a.buffer)
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("%w: %v", ErrLost, err) // which may be an io.EOF of the connection
	case f.Kind == Noted:
		return nil, string(f.Data), nil
	case f.Kind == Written:
		return f.Data, "", nil
	}
	return nil, "", io.EOF
}

// Write types.
func (a *Attached) Write(p []byte) (int, error) { return len(p), a.send(Typed, p) }

// Resize tells the size of the client's terminal.
func (a *Attached) Resize(columns, rows int) error { return a.send(Resized, sizeData(columns, rows)) }

func (a *Attached) send(kind FrameKind, data []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := a.conn.Write(AppendFrame(nil, kind, data))
	return err
}

// Close detaches.
func (a *Attached) Close() error { return a.conn.Close() }
