package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/runtime/bounded"
	"recipe/runtime/plan"
)

// evaluateKind is the work of an evaluation. The child opens no file: it is given the source, and asks for the modules.
const evaluateKind = "evaluate"

type evaluateRequest struct {
	Name   string
	Source []byte
	Plan   bool // wanted, and not the diagnostics alone
	Batch  bool // one of several that see one snapshot of the files they share
}

// evaluateAnswer has the plan as its canonical JSON, nil where there is none or it was not wanted.
type evaluateAnswer struct {
	Plan        []byte
	Diagnostics diag.List
}

// evaluateWork is what one child does: modules that its recipes share are compiled once.
func evaluateWork() func(bounded.Ask, evaluateRequest) (evaluateAnswer, error) {
	modules, batch := &interp.Compiled{}, &snapshot{}
	return func(ask bounded.Ask, q evaluateRequest) (evaluateAnswer, error) {
		o := interp.Options{Files: askedFiles{ask}, Compiled: modules}
		if q.Batch {
			o.Files = batch.of(interp.FolderOf(q.Name, ""), o.Files)
		}
		p, list := interp.EvaluateBytes(q.Name, q.Source, o)
		a := evaluateAnswer{Diagnostics: list}
		var err error
		if p != nil && q.Plan {
			a.Plan, err = p.Encode()
		}
		return a, err
	}
}

var limits = bounded.Limits{Memory: interp.Memory, CPU: interp.CPU, Wall: interp.Wall, Answer: interp.Answer}

// evaluator evaluates recipes in bounded children, so that none can hurt this process, its host or another recipe.
type evaluator struct{ runner *bounded.Runner }

// newEvaluator makes one of at most that many children. It must be closed.
func newEvaluator(children int) *evaluator {
	return &evaluator{bounded.New(limits, children)}
}

func (e *evaluator) close() { e.runner.Close() }

// plan evaluates FILE. The plan is nil when the list holds an error; err is the end of ctx, or a fault of this program.
func (e *evaluator) plan(ctx context.Context, file string, stdin io.Reader) (*plan.Plan, diag.List, error) {
	answer, err := e.evaluate(ctx, stdin, evaluateRequest{Name: file, Plan: true})
	if err != nil || answer.Plan == nil {
		return nil, answer.Diagnostics, err
	}
	p, err := plan.Decode(answer.Plan) // a child that read what is not ours is not believed
	return p, answer.Diagnostics, err
}

// check evaluates FILE for its diagnostics, one of several perhaps.
func (e *evaluator) check(ctx context.Context, file string, stdin io.Reader) (diag.List, error) {
	answer, err := e.evaluate(ctx, stdin, evaluateRequest{Name: file, Batch: true})
	return answer.Diagnostics, err
}

// evaluate reads the source that the request names.
func (e *evaluator) evaluate(ctx context.Context, stdin io.Reader, q evaluateRequest) (a evaluateAnswer, err error) {
	if q.Source, err = interp.Read(q.Name, stdin); err != nil {
		return evaluateAnswer{Diagnostics: interp.Unreadable(q.Name, err)}, nil
	}
	return e.text(ctx, q)
}

// text evaluates the source of a request as if it stood in the file of that name.
func (e *evaluator) text(ctx context.Context, q evaluateRequest) (evaluateAnswer, error) {
	folder := &interp.Folder{Path: interp.FolderOf(q.Name, "")}
	defer folder.Close()
	answer, err := bounded.Do[evaluateRequest, evaluateAnswer](ctx, e.runner, evaluateKind, q, serveFiles(folder))
	var ended *bounded.Ended
	if errors.As(err, &ended) {
		return evaluateAnswer{Diagnostics: diag.List{spent(q.Name, ended)}}, nil
	}
	return answer, err
}

// spent is the diagnostic of a recipe whose evaluation killed its child.
func spent(file string, ended *bounded.Ended) diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Error, At: diag.Span{File: file}, Message: "the recipe cannot be evaluated: " + ended.Error()}
	switch ended.Why {
	case bounded.Memory:
		d.Code, d.Hint = interp.CodeMemory, "look for a text or a list that doubles in a loop"
	case bounded.CPU, bounded.Wall:
		d.Code, d.Hint = interp.CodeTime, "look for a loop over something large"
	case bounded.Depth, bounded.Answer:
		d.Code, d.Hint = interp.CodeTooLarge, "a recipe describes; look for lists in lists, or for what is made in a loop"
	default:
		d.Code, d.Hint = interp.CodeBroken, "leave out what was written last, and report the fault with the recipe"
	}
	return d
}

// The names by which a child asks for files of the recipe's folder.
const (
	askRead  = "read"
	askNames = "names"
)

type readQuestion struct {
	Key  string
	Most int
}

type readAnswer struct {
	Data    []byte
	Missing bool   // there is no such file
	Fault   string // why it cannot be read, otherwise
}

// askedFiles are the files that a child asks its parent for.
type askedFiles struct{ ask bounded.Ask }

// Read asks for a file.
func (f askedFiles) Read(key string, most int) ([]byte, error) {
	a, err := bounded.Asking[readQuestion, readAnswer](f.ask, askRead, readQuestion{key, most})
	switch {
	case err != nil:
		return nil, err
	case a.Missing:
		return nil, fs.ErrNotExist
	case a.Fault != "":
		return nil, errors.New(a.Fault)
	}
	return a.Data, nil
}

// Names asks for what is in a folder.
func (f askedFiles) Names(dir string) []string {
	names, _ := bounded.Asking[string, []string](f.ask, askNames, dir)
	return names
}

// serveFiles answers what askedFiles asks for, from one folder and from nowhere else.
func serveFiles(files interp.Files) bounded.Ask {
	return bounded.Answering(map[string]bounded.Kind{
		askRead: bounded.Handle(func(_ bounded.Ask, q readQuestion) (readAnswer, error) {
			if !fs.ValidPath(q.Key) {
				return readAnswer{Fault: "it lies outside of the recipe's folder"}, nil
			}
			data, err := files.Read(q.Key, min(q.Most, interp.Answer/2))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return readAnswer{Missing: true}, nil
			case err != nil:
				return readAnswer{Fault: interp.Reason(err).Error()}, nil
			}
			return readAnswer{Data: data}, nil
		}),
		askNames: bounded.Handle(func(_ bounded.Ask, dir string) ([]string, error) {
			if !fs.ValidPath(dir) {
				return nil, nil
			}
			return files.Names(dir), nil
		}),
	})
}
