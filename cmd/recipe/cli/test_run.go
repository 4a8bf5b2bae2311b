package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"time"

	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/interp/suite"
	"recipe/runtime/bounded"
)

// testRun runs the tests of files in bounded children, as many at a time as there are processors: a test that takes too
// much dies alone.
type testRun struct {
	pattern  *regexp.Regexp
	update   bool
	cover    bool
	runner   *bounded.Runner
	places   chan struct{}
	reports  []suite.Report
	coverage interp.Coverage
}

// newTestRun makes one, which must be closed.
func newTestRun(pattern *regexp.Regexp, update, cover bool) *testRun {
	children := runtime.GOMAXPROCS(0)
	return &testRun{pattern: pattern, update: update, cover: cover, places: make(chan struct{}, children),
		runner: bounded.New(bounded.Limits{Memory: interp.Memory, CPU: interp.CPU, Wall: interp.Wall, Answer: interp.Answer}, children)}
}

func (t *testRun) close() { t.runner.Close() }

// run gives the report of each file to done, in the order of the files, as soon as it is there. What cannot be done is a
// fault of this program, or an interruption.
func (t *testRun) run(ctx context.Context, files []string, done func(*suite.Report)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t.reports = make([]suite.Report, len(files))
	ready := make([]chan struct{}, len(files))
	for i, name := range files {
		ready[i] = make(chan struct{})
		go func() {
			defer close(ready[i])
			if err := t.file(ctx, name, &t.reports[i]); err != nil {
				cancel(err)
			}
		}()
	}
	for i := range files {
		<-ready[i]
		if ctx.Err() != nil {
			return fmt.Errorf("cannot go on with the tests: %w", context.Cause(ctx))
		}
		for j := range t.reports[i].Tests {
			t.coverage.Add(t.reports[i].Tests[j].Coverage)
		}
		done(&t.reports[i])
	}
	return nil
}

// file runs the tests of one file, side by side.
func (t *testRun) file(ctx context.Context, name string, r *suite.Report) error {
	r.File = name
	text, err := interp.Read(name, nil)
	if err != nil {
		r.Wrong = interp.Unreadable(name, err)
		return nil
	}
	work := testRequest{Name: name, Text: text, Update: t.update, Cover: t.cover}
	answer, _, err := t.do(ctx, work)
	if err != nil {
		return err
	}
	r.Wrong = answer.Result.Diagnostics
	for _, test := range answer.Tests {
		if t.pattern.MatchString(test) {
			r.Tests = append(r.Tests, suite.Verdict{Name: test})
		}
	}
	errs := make([]error, len(r.Tests))
	var all sync.WaitGroup
	for i := range r.Tests {
		all.Go(func() {
			one, v := work, &r.Tests[i]
			one.Test = v.Name
			var answer testAnswer
			answer, v.Took, errs[i] = t.do(ctx, one)
			v.Result = answer.Result
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// testKind is the work of a test, or of listing those of a file.
const testKind = "test"

// testRequest asks for a test, or for the names of all of them when Test is empty.
type testRequest struct {
	Name          string
	Text          []byte
	Test          string
	Update, Cover bool
}

type testAnswer struct {
	Tests  []string
	Result suite.Result
}

// testWork is what a child does.
func testWork(ask bounded.Ask, q testRequest) (testAnswer, error) {
	f := suite.File{Name: q.Name, Text: q.Text, Files: askedFiles{ask}}
	o := suite.Options{Runtime: testRuntime{}, Update: q.Update, Cover: q.Cover}
	if q.Test != "" {
		return testAnswer{Result: suite.Run(f, q.Test, o)}, nil
	}
	names, list := suite.List(f, o)
	return testAnswer{Tests: names, Result: suite.Result{Diagnostics: list}}, nil
}

// do has a child do a piece of work, and tells how long that took once there was a place for it.
func (t *testRun) do(ctx context.Context, q testRequest) (testAnswer, time.Duration, error) {
	select {
	case t.places <- struct{}{}:
		defer func() { <-t.places }()
	case <-ctx.Done():
		return testAnswer{}, 0, ctx.Err()
	}
	folder := &interp.Folder{Path: filepath.Dir(q.Name)}
	defer folder.Close()
	start := time.Now()
	answer, err := bounded.Do[testRequest, testAnswer](ctx, t.runner, testKind, q, serveFiles(folder))
	took := time.Since(start)
	var ended *bounded.Ended
	if errors.As(err, &ended) {
		d := spent(q.Name, ended)
		d.Word, d.Message = q.Test, ended.Error()
		return testAnswer{Result: suite.Result{Diagnostics: diag.List{d}}}, took, nil
	}
	return answer, took, err
}
