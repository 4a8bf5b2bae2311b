package control

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"recipe/runtime/plan"
)

// Code tells errors apart for programs.
type Code string

// The codes; statuses has those that a supervisor sends.
const (
	UnknownService Code = "unknown-service"
	Ambiguous      Code = "ambiguous-service" // two supervisors have it
	BadRequest     Code = "bad-request"
	Forbidden      Code = "forbidden"
	Refused        Code = "refused" // understood, and the answer is no
	Busy           Code = "busy"    // bounds are reached
	Unreachable    Code = "unreachable"
	Failed         Code = "failed"
)

// statuses are the HTTP statuses that carry errors.
var statuses = map[Code]int{
	UnknownService: http.StatusNotFound,
	BadRequest:     http.StatusBadRequest,
	Forbidden:      http.StatusForbidden,
	Refused:        http.StatusConflict,
	Busy:           http.StatusServiceUnavailable,
	Failed:         http.StatusInternalServerError,
}

// Error is what goes wrong between an operator and a supervisor. Hint is a way out, or empty.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"error"`
	Hint    string `json:"hint,omitempty"`

	cause error // what the kernel said, on the side where it happened
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}

// status is the HTTP status that carries the error.
func (e *Error) status() int {
	if status, ok := statuses[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// Unknown is the error for a name that no known service has. Its hint gives the nearest name, and all of them while
// they are few.
func Unknown(name string, known []string) *Error {
	e := &Error{Code: UnknownService, Message: fmt.Sprintf("no supervisor here has a service %q", name)}
	if len(known) == 0 {
		e.Hint = "none runs a service; `recipe run FILE` starts one"
		return e
	}
	e.Hint = plan.Nearest(name, known)
	const few = 20
	if len(known) <= few {
		list := "the services are: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
		e.Hint = strings.TrimPrefix(e.Hint+"; "+list, "; ")
	} else if e.Hint == "" {
		e.Hint = "`recipe status` lists the services"
	}
	return e
}
