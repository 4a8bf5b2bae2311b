package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"recipe/builtins"
	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/interp/suite"
	"recipe/runtime/bounded"
	"recipe/runtime/expr"
	"recipe/runtime/flags"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
	"recipe/runtime/probe"
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

// testRuntime is what stands behind the plan, for tests. It reads nothing of this machine.
type testRuntime struct{}

// Resolve computes flags and services.
func (testRuntime) Resolve(p *plan.Plan, sets []string, facts expr.Facts) (*builtins.Resolved, error) {
	settled, err := flags.Without(p, sets, facts)
	if err != nil {
		return nil, err
	}
	r := &builtins.Resolved{Env: settled.Env, Services: map[string]*builtins.ResolvedService{}}
	var errs []error
	for i := range p.Services {
		s := &p.Services[i]
		spec, err := launch.Resolve(p, s, settled.Env)
		if err != nil {
			errs = append(errs, fmt.Errorf("service %q: %w", s.Name, err))
			continue
		}
		r.Services[s.Name] = resolvedService(spec)
	}
	return r, errors.Join(errs...)
}

func resolvedService(spec *launch.Spec) *builtins.ResolvedService {
	s := &builtins.ResolvedService{Command: spec.Argv, Env: map[string]string{}, Templates: map[string]string{}}
	for _, v := range spec.Env {
		name, value, _ := strings.Cut(v, "=")
		s.Env[name] = value
	}
	for _, step := range spec.Steps {
		if step.Template != nil {
			s.Templates[step.Template.Path] = step.Template.Text
		}
	}
	return s
}

// Judge has a probe judge a reply.
func (testRuntime) Judge(p *plan.Probe, env *expr.Env, reply []byte) error {
	target, err := probe.Resolve(p, env)
	if err != nil {
		return err
	}
	return target.Judge(reply)
}

// writeGolden writes the golden files of the tests and returns their paths. A file that two tests give is that of the
// latter.
func writeGolden(reports []suite.Report) ([]string, error) {
	texts := map[string]suite.Golden{}
	folders := map[string]string{}
	for i := range reports {
		folder := filepath.Dir(reports[i].File)
		for _, v := range reports[i].Tests {
			for _, g := range v.Golden {
				path := filepath.Join(folder, filepath.FromSlash(g.Path))
				texts[path], folders[path] = g, folder
			}
		}
	}
	paths := slices.Sorted(maps.Keys(texts))
	for _, path := range paths {
		if err := replaceBelow(folders[path], filepath.FromSlash(texts[path].Path), texts[path].Text); err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", path, err)
		}
	}
	return paths, nil
}

// replaceBelow writes a file below a folder by rename, and its folders. No link leads out of the folder.
func replaceBelow(folder, path, text string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(path), ".recipe-test.new")
	if err := root.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = root.Rename(temporary, path)
	}
	if err != nil {
		root.Remove(temporary)
	}
	return err
}

// testJSON is a test as programs read it.
type testJSON struct {
	Name        string          `json:"name"`
	Passed      bool            `json:"passed"`
	Seconds     float64         `json:"seconds"`
	Steps       uint64          `json:"steps"`
	Diagnostics json.RawMessage `json:"diagnostics,omitempty"`
}

type testFileJSON struct {
	File        string          `json:"file"`
	Diagnostics json.RawMessage `json:"diagnostics,omitempty"`
	Tests       []testJSON      `json:"tests"`
}

func testsJSON(reports []suite.Report, coverage []interp.FileCoverage) any {
	out := struct {
		Tests    int                   `json:"tests"`
		Failed   int                   `json:"failed"`
		Files    []testFileJSON        `json:"files"`
		Coverage []interp.FileCoverage `json:"coverage,omitempty"`
	}{Files: []testFileJSON{}, Coverage: coverage}
	for i := range reports {
		r := &reports[i]
		out.Tests, out.Failed = out.Tests+len(r.Tests), out.Failed+r.Failed()
		f := testFileJSON{File: printable(r.File), Diagnostics: diagnosticsJSON(r.Wrong), Tests: []testJSON{}}
		for _, v := range r.Tests {
			f.Tests = append(f.Tests, testJSON{v.Name, v.Passed(), v.Took.Seconds(), v.Steps, diagnosticsJSON(v.Diagnostics)})
		}
		out.Files = append(out.Files, f)
	}
	return out
}

// diagnosticsJSON is the list alone of what the list is as JSON.
func diagnosticsJSON(list diag.List) json.RawMessage {
	if len(list) == 0 {
		return nil
	}
	var whole struct {
		Diagnostics json.RawMessage `json:"diagnostics"`
	}
	if json.Unmarshal(list.JSON(), &whole) != nil {
		return nil
	}
	var flat bytes.Buffer
	json.Compact(&flat, whole.Diagnostics)
	return flat.Bytes()
}
