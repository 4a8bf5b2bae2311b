package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// events streams one event a line. A viewer that takes nothing for long is sent away; it can go on from the last number
// that it has seen.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		refuse(w, err)
		return
	}
	select {
	case s.viewers <- struct{}{}:
		defer func() { <-s.viewers }()
	default:
		refuse(w, &Error{Code: Busy, Message: fmt.Sprintf("%d viewers look at the events of this supervisor, and more are not served", s.bounds.viewers),
			Hint: "end one of them"})
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	deadlines := http.NewResponseController(w)
	deadlines.SetReadDeadline(time.Time{})
	deadlines.SetWriteDeadline(time.Now().Add(s.bounds.viewer))
	deadlines.Flush() // the viewer knows that it is heard before anything happens
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	err = s.backend.Events(ctx, query, func(e Event) error {
		deadlines.SetWriteDeadline(time.Now().Add(s.bounds.viewer))
		return errors.Join(enc.Encode(e), deadlines.Flush())
	})
	if err != nil && ctx.Err() == nil {
		panic(http.ErrAbortHandler) // so that the viewer does not take this for the end
	}
}

func queryOf(r *http.Request) (Query, error) {
	values := r.URL.Query()
	q := Query{Services: values["service"], Follow: values.Get("follow") != "false"}
	since := values.Get("since")
	if since == "" {
		return q, nil
	}
	if number, err := strconv.ParseUint(since, 10, 64); err == nil {
		q.Since = &number
		return q, nil
	}
	at, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return q, &Error{Code: BadRequest, Message: fmt.Sprintf("cannot read since=%q: give the number of an event, or a time as 2006-01-02T15:04:05Z", since)}
	}
	q.At = at
	return q, nil
}
