package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/control"
)

const flagsFile = ".recipe/foo/etc/foo/flags"

// stats is what food says of itself.
type stats struct {
	PID     int
	Level   string
	Workers int
}

func foodStats(web string) (s stats) {
	json.Unmarshal([]byte(ask(web+"/stats")), &s) // of nobody's answer nothing is known
	return s
}

// A changed flag does what its apply says, and a bad value changes nothing.
func TestChangedFlagIsApplied(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	args, web := ports(t)
	s := h.run(append(args, "--dev", h.tour())...)
	first := h.becomesHealthy("foo", "foo")

	h.replace(flagsFile, "log-level=debug\n")
	h.until("the new log level", func() bool { return foodStats(web).Level == "debug" }, s.out.String)
	if got := foodStats(web); got.PID != first.PID {
		t.Errorf("process %d has the new level, want the same process, %d", got.PID, first.PID)
	}

	h.write(flagsFile, "log-level=debug\nworkers=3\n")
	h.until("the new number of workers", func() bool { return foodStats(web).Workers == 3 }, s.out.String)
	second := h.becomesHealthy("foo", "foo")
	if second.PID == first.PID {
		t.Errorf("process %d has a changed argument without a restart", second.PID)
	}

	h.write(flagsFile, "log-level=debug\nworkers=65\n")
	path := flagsFile + ":2:"
	h.until("a report of the bad value", func() bool {
		said := s.out.String()
		return strings.Contains(said, path) && strings.Contains(said, `flag "workers"`) && strings.Contains(said, "1 to 64")
	}, s.out.String)
	h.write(flagsFile, "log-level=info\nworkers=3\n")
	h.until("the corrected file", func() bool { return foodStats(web).Level == "info" }, s.out.String)
	if got := foodStats(web); got.PID != second.PID {
		t.Errorf("process %d runs after a bad value and its correction, want the same, %d", got.PID, second.PID)
	}
	if got := strings.Count(s.out.String(), path); got != 1 {
		t.Errorf("the bad value was reported %d times, want once", got)
	}
}

// A recipe that an editor has half written is reported once and changes nothing; one replaced by rename is applied once.
func TestRecipeIsAppliedWhole(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	args, web := ports(t)
	path := h.tour()
	whole := read(t, path)
	s := h.run(append(args, "--dev", path)...)
	first := h.becomesHealthy("foo", "foo")

	half := whole[:strings.Index(whole, "    probes = [")]
	h.write("foo.star", half)
	h.until("a report of the half-written recipe", func() bool { return strings.Contains(s.out.String(), "foo.star:") }, s.out.String)
	h.write("foo.star", half) // saved again, as it was
	h.replace(flagsFile, "log-level=debug\n")
	h.until("a change of a flag meanwhile", func() bool { return foodStats(web).Level == "debug" }, s.out.String)
	if got := foodStats(web); got.PID != first.PID {
		t.Errorf("process %d runs under a half-written recipe, want the same, %d", got.PID, first.PID)
	}
	h.replace("foo.star", strings.Replace(whole, `"FOO_DATA": data`, `"FOO_DATA": data, "FOO_NEW": "yes"`, 1))
	second := h.becomes("runs anew", "foo", "foo", func(st control.Status) bool { return st.PID != first.PID && st.IsUp() })
	if got := strings.Count(s.out.String(), "foo.star:"); got != 1 {
		t.Errorf("the half-written recipe was reported %d times, want once", got)
	}
	h.replace(flagsFile, "log-level=error\n")
	h.until("a change after it", func() bool { return foodStats(web).Level == "error" }, s.out.String)
	if got := foodStats(web); got.PID != second.PID {
		t.Errorf("process %d runs, want %d: the recipe was applied more than once", got.PID, second.PID)
	}
	if st, _ := h.status("foo", "foo"); st.Restarts != 1 {
		t.Errorf("%d restarts, want 1", st.Restarts)
	}
}

// A file that the recipe reads is one that it depends on: the service whose start it changes is started anew, and no other.
func TestAFileThatIsReadIsWatched(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("motto", "first\n")
	path := h.write("foo.star", `service(name = "a", command = ["/bin/sh", "-c", "echo $MOTTO; exec sleep 1000"], env = {"MOTTO": read("motto").strip()})
service(name = "b", command = ["/bin/sleep", "1000"])
`)
	s := h.run("--dev", path)
	up := func(st control.Status) bool { return st.IsUp() }
	first, other := h.becomes("runs", "foo", "a", up), h.becomes("runs", "foo", "b", up)
	said := func(word string) func() bool {
		return func() bool {
			text, err := os.ReadFile(filepath.Join(h.dir, "log/a.log"))
			return err == nil && strings.Contains(string(text), word)
		}
	}
	h.until("the first text", said("first"), s.out.String)
	h.replace("motto", "second\n")
	h.until("the second text", said("second"), s.out.String)
	h.becomes("runs anew", "foo", "a", func(st control.Status) bool { return st.PID != first.PID && st.IsUp() })
	if now, _ := h.status("foo", "b"); now.PID != other.PID {
		t.Errorf("process %d runs, want %d: what does not depend on the file was restarted", now.PID, other.PID)
	}
	if err := os.Remove(filepath.Join(h.dir, "motto")); err != nil {
		t.Fatal(err)
	}
	h.until("that the file is missed", func() bool { return strings.Contains(s.out.String(), "foo.star:1:") }, s.out.String)
	h.write("motto", "third\n")
	h.until("the third text", said("third"), s.out.String)
}
