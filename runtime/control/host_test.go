package control

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/dirs"
)

func TestSurvey(t *testing.T) {
	t.Parallel()
	d := dirs.Dirs{Runtime: t.TempDir()}
	serveAt(t, SocketPath(d.Runtime, "foo"), newFake(), nil)
	leaveStale(t, SocketPath(d.Runtime, "dead"))
	must(t, os.WriteFile(filepath.Join(d.Runtime, "file.sock"), nil, 0o600))
	h, err := Open(d)
	must(t, err)
	s := h.Survey(t.Context())
	var names []string
	for _, f := range s.Services {
		names = append(names, f.Service)
	}
	if strings.Join(names, " ") != "bar foo" || len(s.Dead) != 1 || len(s.Failures) != 0 {
		t.Errorf("got %v, %v, %v", names, s.Dead, s.Failures)
	}
	if _, err := s.Find("fo"); !isCode(err, UnknownService) {
		t.Errorf("got %v", err)
	}
	if err := h.Taken(t.Context(), SocketPath(d.Runtime, "other"), []string{"new", "foo"}); !isCode(err, Refused) {
		t.Errorf("got %v", err)
	}
	if err := h.Taken(t.Context(), SocketPath(d.Runtime, "foo"), []string{"foo"}); err != nil {
		t.Errorf("its own socket is in a supervisor's way: %v", err)
	}
}

func TestTwoSupervisorsOfOneServiceAreTold(t *testing.T) {
	t.Parallel()
	d := dirs.Dirs{Runtime: t.TempDir()}
	serveAt(t, SocketPath(d.Runtime, "a"), newFake(), nil)
	serveAt(t, SocketPath(d.Runtime, "b"), newFake(), nil)
	h, err := Open(d)
	must(t, err)
	if _, err := h.Find(t.Context(), "foo"); !isCode(err, Ambiguous) || !strings.Contains(err.Error(), "a.sock") {
		t.Errorf("got %v", err)
	}
}

func TestNoFolderIsNoSupervisor(t *testing.T) {
	t.Parallel()
	h, err := Open(dirs.Dirs{Runtime: t.TempDir() + "/none"})
	must(t, err)
	if s := h.Survey(t.Context()); len(s.Services)+len(s.Dead)+len(s.Failures) != 0 {
		t.Errorf("got %+v", s)
	}
}

func isCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
