package metrics

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"recipe/runtime/control"
)

// Source is a supervisor. Its methods are called from several goroutines at once.
type Source interface {
	Snapshot() *Snapshot
	Status(context.Context) []control.Status
	// Unusable are the recipes of which nothing can be run yet.
	Unusable() []string
}

// Bounds of a client: a scrape of 1,000 services takes a tenth of a second to be written.
const (
	requestTime = 5 * time.Second
	answerTime  = 20 * time.Second
	idleTime    = 2 * time.Minute // between two scrapes of one connection, which Prometheus keeps open
	headSize    = 16 << 10        // bytes
	closingTime = time.Second
)

// Serve answers for s until ctx ends, and closes l. An error is that of a listener that broke.
func Serve(ctx context.Context, l net.Listener, s Source) error {
	h := &http.Server{
		Handler:           routes(s),
		ReadHeaderTimeout: requestTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headSize,
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("cannot serve %s any longer: %w", l.Addr(), err), h.Close())
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.Background(), closingTime)
	defer cancel()
	if h.Shutdown(closing) != nil {
		h.Close()
	}
	<-served
	return nil
}

func routes(s Source) http.Handler {
	snapshots := make(chan struct{}, 1) // one is taken at a time: they cost, and how a client reads one is its own affair
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		select {
		case snapshots <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		snapshot := s.Snapshot()
		<-snapshots
		format := wanted(r.Header.Get("Accept"))
		w.Header().Set("Content-Type", string(format))
		_ = snapshot.Write(w, format) // a client that goes away is no error
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		code, text := health(s, r)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(code)
		fmt.Fprintln(w, text)
	})
	return mux
}

// wanted is what a client would rather have: OpenMetrics only where it asks for that, and not less than for text.
func wanted(accept string) Format {
	open, text := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		kind, parameters, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		quality := 1.0
		if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
			quality = q
		}
		switch version := parameters["version"]; {
		case kind == "application/openmetrics-text" && (version == "" || version == "1.0.0"):
			open = max(open, quality)
		case kind == "text/plain" || kind == "text/*" || kind == "*/*":
			text = max(text, quality)
		}
	}
	if open > 0 && open >= text {
		return OpenMetrics
	}
	return Text
}

// health is 200 while every service that is wanted is up, or the one that is asked for is; else 503, with the name and the
// state of each that is not.
func health(s Source, r *http.Request) (code int, text string) {
	all := s.Status(r.Context())
	if name := r.URL.Query().Get("service"); name != "" {
		for i := range all {
			if st := &all[i]; st.Service == name {
				if st.IsUp() {
					return http.StatusOK, "ok"
				}
				return http.StatusServiceUnavailable, ailing(st)
			}
		}
		return http.StatusNotFound, "there is no such service"
	}
	var down []string
	for _, name := range s.Unusable() {
		down = append(down, "recipe "+name+": refused")
	}
	for i := range all {
		if st := &all[i]; st.Desired == control.Up && !st.IsUp() {
			down = append(down, ailing(st))
		}
	}
	if len(down) > 0 {
		return http.StatusServiceUnavailable, strings.Join(down, "\n")
	}
	return http.StatusOK, "ok"
}

func ailing(st *control.Status) string { return st.Service + ": " + string(st.State) }
