package bounded

import (
	"context"
	"encoding/json"
	"fmt"
)

// Handle makes a kind of work of a function that takes and gives Go values. They travel as JSON.
func Handle[Q, A any](do func(ask Ask, request Q) (A, error)) Kind {
	return func(ask Ask, data []byte) ([]byte, error) {
		var request Q
		if err := json.Unmarshal(data, &request); err != nil {
			return nil, fmt.Errorf("cannot read the request: %w", err)
		}
		answer, err := do(ask, request)
		if err != nil {
			return nil, err
		}
		return json.Marshal(answer)
	}
}

// Do has a child do work of a kind that Handle made. serve answers what it asks for on the way; nil for work that asks
// nothing. An error that is an *Ended tells that the work killed its child.
func Do[Q, A any](ctx context.Context, r *Runner, kind string, request Q, serve Ask) (answer A, err error) {
	data, err := json.Marshal(request)
	if err != nil {
		return answer, fmt.Errorf("cannot send the request: %w", err)
	}
	data, err = r.Do(ctx, kind, data, serve)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return answer, fmt.Errorf("cannot read the answer: %w", err)
	}
	return answer, nil
}

// Answering makes what serves a child's questions of a table, by name.
func Answering(table map[string]Kind) Ask {
	return func(name string, question []byte) ([]byte, error) {
		answer := table[name]
		if answer == nil {
			return nil, fmt.Errorf("there is nothing to ask for as %q", name)
		}
		return answer(nil, question)
	}
}

// Asking asks the parent in Go values: the child's side of an entry that Handle made.
func Asking[Q, A any](ask Ask, name string, question Q) (answer A, err error) {
	data, err := json.Marshal(question)
	if err == nil {
		data, err = ask(name, data)
	}
	if err == nil {
		err = json.Unmarshal(data, &answer)
	}
	return answer, err
}
