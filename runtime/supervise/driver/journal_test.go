package driver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
)

// Lines that a full disk cut short, files that were moved away and folders that were removed cost what was in them, and
// nothing after it; what could not be kept is counted for whoever asks about any service.
func TestAJournalGoesOnWhateverBefallsItsFile(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "state")
	path := filepath.Join(folder, "a.journal")
	j := openJournal(path)
	defer j.close()
	tell := func(why string) {
		j.write(control.Event{Decision: control.Decision{Time: time.Now(), Service: "a", What: "test", Why: why}})
		j.settle()
	}
	all := func() (text string) {
		decisions, err := j.of("a", whyLength)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range decisions {
			text += d.Why + "\n"
		}
		return text
	}
	tell("first")
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	tell("second")
	if got := all(); got != "second\n" {
		t.Errorf("after the folder was moved away it tells %q", got)
	}
	os.Remove(path)
	if err := os.WriteFile(path, []byte(`{"seq":1,"serv`), 0o640); err != nil {
		t.Fatal(err)
	}
	tell("third")
	if got := all(); got != "third\n" {
		t.Errorf("behind a line that was cut short it tells %q", got)
	}
	os.Remove(path)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	tell("lost")
	tell("lost as well")
	os.Remove(path)
	tell("fourth")
	if got := all(); !strings.HasPrefix(got, "2 events before this one could not be written to ") || !strings.HasSuffix(got, "\nfourth\n") {
		t.Errorf("after events that could not be kept it tells %q", got)
	}
}
