package control

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The line of a group has all its members, of which there may be thousands.
func TestNamesAreFoundBehindLongLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "group")
	text := "all:x:5:" + strings.Repeat("member,", 20_000) + "\nops:x:77:\nlast:x:78"
	must(t, os.WriteFile(path, []byte(text), 0o644))
	for name, want := range map[string]int{"all": 5, "ops": 77, "last": 78} {
		if id, err := groupIn(path, name); id != want || err != nil {
			t.Errorf("the group %s is %d, %v", name, id, err)
		}
	}
	if _, err := groupIn(path, "member"); err == nil {
		t.Error("a member is taken for a group")
	}
	if name, ok := passwdName(path, 77); name != "ops" || !ok {
		t.Errorf("77 is %q, %v", name, ok)
	}
}
