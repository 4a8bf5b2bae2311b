package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Serve listens on path and answers for b until ctx ends; then it returns nil and the socket is gone.
func Serve(ctx context.Context, path string, b Backend) error {
	l, err := Listen(ctx, path)
	if err != nil {
		return err
	}
	return l.Serve(ctx, b)
}

// Serve answers for b until ctx ends, and closes l. Requests that are open then have a second to finish.
func (l *Listener) Serve(ctx context.Context, b Backend) error {
	s := &server{backend: b, bounds: l.bounds}
	h := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: l.bounds.request,
		ReadTimeout:       l.bounds.request,
		WriteTimeout:      l.bounds.answer,
		IdleTimeout:       l.bounds.idle,
		MaxHeaderBytes:    l.bounds.head,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, uidKey{}, c.(*connection).uid)
		},
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

type uidKey struct{}

type server struct {
	backend Backend
	bounds  bounds

	attached attachments
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", s.status)
	mux.HandleFunc("GET /v1/services/{name}/why", s.why)
	mux.HandleFunc("POST /v1/services/{name}/start", s.action(s.backend.Start))
	mux.HandleFunc("POST /v1/services/{name}/stop", s.action(s.backend.Stop))
	mux.HandleFunc("POST /v1/services/{name}/restart", s.action(s.backend.Restart))
	mux.HandleFunc("POST /v1/services/{name}/attach", s.attach)
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
)

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	services := s.backend.Status(r.Context())
	if services == nil {
		services = []Status{}
	}
	answer(w, http.StatusOK, statusAnswer{services})
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

// action runs one of the backend's three. It takes as long as it takes, so the connection's deadlines are lifted: the
// read deadline too, since net/http reads on to see the client leave, and takes a timeout for that.
func (s *server) action(do func(context.Context, string, Caller) (Status, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var request actionRequest
		by, err := s.caller(w, r, &request, &request)
		if err != nil {
			refuse(w, err)
			return
		}
		deadlines := http.NewResponseController(w)
		deadlines.SetReadDeadline(time.Time{})
		deadlines.SetWriteDeadline(time.Time{})
		status, err := do(r.Context(), r.PathValue("name"), by)
		deadlines.SetWriteDeadline(time.Now().Add(s.bounds.answer))
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusOK, status)
	}
}

// caller reads the body into whole, which request is a part of, and joins what the kernel knows of the client with what it
// says itself. Only root may speak for someone else.
func (s *server) caller(w http.ResponseWriter, r *http.Request, whole any, request *actionRequest) (Caller, error) {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, s.bounds.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(whole); err != nil && err != io.EOF {
		return Caller{}, &Error{Code: BadRequest, Message: fmt.Sprintf("cannot read the request: %v", err)}
	}
	if _, err := dec.Token(); err != io.EOF {
		return Caller{}, &Error{Code: BadRequest, Message: "cannot read the request: something follows its JSON"}
	}
	for _, text := range []string{request.Why, request.SudoUser} {
		if err := oneLine(text); err != nil {
			return Caller{}, err
		}
	}
	uid := r.Context().Value(uidKey{}).(int)
	by := Caller{UID: uid, User: userName(uid), Why: request.Why}
	if uid == 0 && request.SudoUser != "" {
		by.User += " for " + request.SudoUser
	}
	return by, nil
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
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: Failed, Message: err.Error()}
	}
	answer(w, e.status(), e)
}
