package control

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Serve listens on path and answers for b until ctx ends; then it returns nil and the socket is gone.
func Serve(ctx context.Context, path string, b Backend) error {
	l, err := Listen(ctx, path, Groups{})
	if err != nil {
		return err
	}
	return l.Serve(ctx, b)
}

// Serve answers for b until ctx ends, and closes l. Requests that are open then have a second to finish.
func (l *Listener) Serve(ctx context.Context, b Backend) error {
	alive, end := context.WithCancel(context.Background())
	defer end()
	s := newServer(alive, b, l.bounds)
	s.ending = ctx
	if l.kept != "" {
		s.orders.memory = remember(l.kept, l.bounds.orders, l.bounds.answers)
		s.orders.line = s.orders.memory.orders()
		defer s.orders.memory.close()
	}
	if l.resumed {
		s.orders.resumes(l.ordered)
	}
	l.mu.Lock()
	l.orders = s.orders
	l.mu.Unlock()
	h := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: l.bounds.request,
		ReadTimeout:       l.bounds.request,
		WriteTimeout:      l.bounds.answer,
		IdleTimeout:       l.bounds.idle,
		MaxHeaderBytes:    l.bounds.head,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, c.(*connection))
		},
		ConnState: func(c net.Conn, state http.ConnState) { c.(*connection).request.becomes(state) },
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	var err error
	select {
	case err = <-served:
		l.Close()
	case <-ctx.Done():
		closing, cancel := context.WithTimeout(context.Background(), l.bounds.closing)
		defer cancel()
		if h.Shutdown(closing) != nil {
			h.Close()
		}
		<-served
		s.attached.close(l.bounds.closing)
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
		return fmt.Errorf("cannot serve %s any longer: %w", l.path, err)
	}
	return nil
}

type peerKey struct{}

// peer is the connection that a request came by.
func peer(r *http.Request) *connection { return r.Context().Value(peerKey{}).(*connection) }

type server struct {
	backend Backend
	bounds  bounds
	orders  *orders
	viewers chan struct{}   // one for each stream
	ending  context.Context // ends when the supervisor does, and streams with it

	attached attachments
}

func newServer(alive context.Context, b Backend, bounds bounds) *server {
	return &server{backend: b, bounds: bounds, orders: &orders{bounds: bounds, served: alive}, viewers: make(chan struct{}, bounds.viewers)}
}

// request is one that clients may make.
type request struct {
	pattern string // of net/http
	needs   access
	serve   func(*server) http.HandlerFunc
}

// requests are all of them, as SPEC.md lists them.
var requests = []request{
	{"GET /v1/status", read, func(s *server) http.HandlerFunc { return s.status }},
	{"GET /v1/supervisor", read, func(s *server) http.HandlerFunc { return s.supervisor }},
	{"GET /v1/services/{name}/why", read, func(s *server) http.HandlerFunc { return s.why }},
	{"GET /v1/events", read, func(s *server) http.HandlerFunc { return s.events }},
	{"POST /v1/services/{name}/start", command, func(s *server) http.HandlerFunc { return s.action(s.backend.Start) }},
	{"POST /v1/services/{name}/stop", command, func(s *server) http.HandlerFunc { return s.action(s.backend.Stop) }},
	{"POST /v1/services/{name}/restart", command, func(s *server) http.HandlerFunc { return s.action(s.backend.Restart) }},
	{"POST /v1/services/{name}/quarantine", command, func(s *server) http.HandlerFunc { return s.action(s.quarantine) }},
	{"POST /v1/services/{name}/release", command, func(s *server) http.HandlerFunc { return s.action(s.backend.Release) }},
	{"POST /v1/services/{name}/signal", command, func(s *server) http.HandlerFunc { return s.command(s.signal) }},
	{"POST /v1/services/{name}/attach", read, func(s *server) http.HandlerFunc { return s.attach }},
	{"POST /v1/services/{name}/set", command, func(s *server) http.HandlerFunc { return s.command(s.set) }},
	{"POST /v1/upgrade", command, func(s *server) http.HandlerFunc { return s.command(s.upgrade) }},
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range requests {
		serve := r.serve(s)
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, asked *http.Request) {
			if peer(asked).may < r.needs {
				refuse(w, &Error{Code: Forbidden, Message: "you may look at this supervisor, and not command it",
					Hint: "root, its own user and the group of `recipe run --command-group` may"})
				return
			}
			defer peer(asked).answering.Store(false)
			peer(asked).answering.Store(asked.Method == "GET") // of others a body is still to come
			serve(w, asked)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, &Error{Code: BadRequest, Message: fmt.Sprintf("this supervisor does not know the request %s %s", r.Method, r.URL.Path),
			Hint: "the client is of another version"})
	})
	return mux
}

// The bodies of requests and answers.
type (
	statusAnswer struct {
		Services []Status `json:"services"`
	}
	whyAnswer struct {
		Decisions []Decision `json:"decisions"`
	}
	actionRequest struct {
		Why      string `json:"why,omitempty"`
		SudoUser string `json:"sudo_user,omitempty"`
	}
	commandRequest struct {
		ID string `json:"id,omitempty"`
		actionRequest

		Signal string   `json:"signal,omitempty"` // of signal
		Set    []string `json:"set,omitempty"`    // of set
		Unset  []string `json:"unset,omitempty"`  // of set
	}
)

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	services := s.backend.Status(r.Context())
	if services == nil {
		services = []Status{}
	}
	answer(w, http.StatusOK, statusAnswer{services})
}

func (s *server) supervisor(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, s.backend.Supervisor(r.Context()))
}

func (s *server) why(w http.ResponseWriter, r *http.Request) {
	decisions, err := s.backend.Why(r.Context(), r.PathValue("name"))
	if err != nil {
		refuse(w, err)
		return
	}
	if decisions == nil {
		decisions = []Decision{}
	}
	answer(w, http.StatusOK, whyAnswer{decisions})
}

// ordered is what a command is carried out with.
type ordered struct {
	service string
	by      Caller
	commandRequest
}

// action is a command that takes a reason alone.
func (s *server) action(do func(context.Context, string, Caller) (Status, error)) http.HandlerFunc {
	return s.command(func(ctx context.Context, o ordered) (any, error) { return do(ctx, o.service, o.by) })
}

func (s *server) quarantine(ctx context.Context, service string, by Caller) (Status, error) {
	if by.Why == "" {
		return Status{}, &Error{Code: BadRequest, Message: "a quarantine needs its reason: whoever finds the service down has to know why"}
	}
	return s.backend.Quarantine(ctx, service, by)
}

func (s *server) signal(ctx context.Context, o ordered) (any, error) {
	name, err := signalName(o.Signal)
	if err != nil {
		return nil, err
	}
	return s.backend.Signal(ctx, o.service, name, o.by)
}

// upgrade is answered by the successor, unless there is none.
func (s *server) upgrade(ctx context.Context, o ordered) (any, error) {
	return s.backend.Upgrade(ctx, o.by)
}

func (s *server) set(ctx context.Context, o ordered) (any, error) {
	if len(o.Set)+len(o.Unset) == 0 {
		return nil, &Error{Code: BadRequest, Message: "there is nothing to set: give flag=value"}
	}
	return s.backend.Set(ctx, o.service, Changes{Set: o.Set, Unset: o.Unset}, o.by)
}

// command carries out what a client orders. It takes as long as it takes, so the connection's deadlines are lifted: the
// read deadline too, since net/http reads on to see the client leave, and takes a timeout for that.
func (s *server) command(do func(context.Context, ordered) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o, err := s.read(w, r)
		if err != nil {
			refuse(w, err)
			return
		}
		deadlines := http.NewResponseController(w)
		deadlines.SetReadDeadline(time.Time{})
		deadlines.SetWriteDeadline(time.Time{})
		key := ""
		if o.ID != "" {
			key = fmt.Sprintf("%d %s", o.by.UID, o.ID)
		}
		// A digest: who sets a secret may have written it where the path of its file belongs.
		what := fmt.Sprintf("%s %x", r.URL.Path, sha256.Sum256(fmt.Appendf(nil, "%q %q %q", o.Signal, o.Set, o.Unset)))
		done, err := s.orders.run(withGiven(r.Context(), peer(r).request.mark()), key, what, func(ctx context.Context, taken time.Time) (any, error) {
			o.by.Ordered = taken
			return do(ctx, o)
		})
		deadlines.SetWriteDeadline(time.Now().Add(s.bounds.answer))
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusOK, done)
	}
}

// read takes a command.
func (s *server) read(w http.ResponseWriter, r *http.Request) (o ordered, err error) {
	o.service = r.PathValue("name")
	if o.by, err = s.caller(w, r, &o.commandRequest, &o.actionRequest); err != nil {
		return o, err
	}
	if err := checkID(o.ID); err != nil {
		return o, &Error{Code: BadRequest, Message: fmt.Sprintf("cannot read the request: %v", err)}
	}
	return o, o.fits(path.Base(r.URL.Path))
}

// caller reads the body into whole, which request is a part of, and joins what the kernel knows of the client with what it
// says itself. Only root may speak for someone else.
func (s *server) caller(w http.ResponseWriter, r *http.Request, whole any, request *actionRequest) (Caller, error) {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, s.bounds.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(whole); err != nil && err != io.EOF {
		return Caller{}, unreadable(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return Caller{}, &Error{Code: BadRequest, Message: "cannot read the request: something follows its JSON"}
	}
	for _, text := range []string{request.Why, request.SudoUser} {
		if err := oneLine(text); err != nil {
			return Caller{}, err
		}
	}
	peer(r).answering.Store(true)
	uid := peer(r).uid
	by := Caller{UID: uid, User: userName(uid), Why: request.Why}
	if uid == 0 && request.SudoUser != "" {
		by.User += " for " + request.SudoUser
	}
	return by, nil
}

// unreadable says of a body that cannot be read why, without the names that its parts have here.
func unreadable(err error) *Error {
	why := strings.TrimPrefix(err.Error(), "json: ")
	var kind *json.UnmarshalTypeError
	var size *http.MaxBytesError
	switch {
	case errors.As(err, &size):
		why = fmt.Sprintf("it has more than %d bytes", size.Limit)
	case errors.As(err, &kind) && kind.Field == "":
		why = "it is no object of JSON"
	case errors.As(err, &kind):
		why = fmt.Sprintf("%q is a JSON %s, which it cannot be", kind.Field[strings.LastIndexByte(kind.Field, '.')+1:], kind.Value)
	}
	return &Error{Code: BadRequest, Message: "cannot read the request: " + why}
}

// fits refuses fields of another command.
func (c *commandRequest) fits(verb string) error {
	if c.Signal != "" && verb != "signal" || len(c.Set)+len(c.Unset) > 0 && verb != "set" {
		return &Error{Code: BadRequest, Message: "cannot read the request: it holds a field of another command than " + verb}
	}
	return nil
}

// maxWhy is what a record of an admin's reason may take, in bytes.
const maxWhy = 1000

func oneLine(text string) error {
	unfit := strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	if unfit || !utf8.ValidString(text) || len(text) > maxWhy {
		return &Error{Code: BadRequest, Message: fmt.Sprintf("a reason is one line of at most %d bytes of printable text", maxWhy)}
	}
	return nil
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(body) // the client is gone if this fails
}

func refuse(w http.ResponseWriter, err error) {
	e := asError(err)
	answer(w, e.status(), e)
}
