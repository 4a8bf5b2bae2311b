package logs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/plan"
)

// TestOlderFilesAreCompressed and are read as if they were not; not more are kept than should be.
func TestOlderFilesAreCompressed(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.Logs{Size: 8 << 10, Keep: 3, Compress: true}, nil)
	path := filepath.Join(dir, "foo.log")
	var all strings.Builder
	for i := range 12 {
		text := strings.Repeat(fmt.Sprintf("line of piece %d\n", i), 300)
		all.WriteString(text)
		if _, err := io.WriteString(l.Writer(), text); err != nil {
			t.Fatal(err)
		}
		if err := l.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { return (&packer{}).oldest(path) == 0 })
	}
	names, err := filepath.Glob(path + "*")
	if want := []string{path, path + ".1.gz", path + ".2.gz", path + ".3.gz"}; err != nil || fmt.Sprint(names) != fmt.Sprint(want) {
		t.Fatalf("there are %v, %v; wanted %v", names, err, want)
	}
	var got bytes.Buffer
	if err := Tail(dir, "foo", -1, &got); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(all.String(), got.String()) || got.Len() < 3*(8<<10) {
		t.Errorf("%d bytes are read, which are not the end of what was written", got.Len())
	}
	for _, n := range []int{1, 400, 1200} {
		var tail bytes.Buffer
		if err := Tail(dir, "foo", n, &tail); err != nil || strings.Count(tail.String(), "\n") != n || !strings.HasSuffix(all.String(), tail.String()) {
			t.Errorf("the last %d lines: %d of them, %v", n, strings.Count(tail.String(), "\n"), err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path + ".3.gz")
	if err != nil || info.Size() > 2<<10 || info.Mode().Perm() != 0o640 {
		t.Errorf("compressed to %v, %v", info, err)
	}
}

// TestCompressionSparesWhatItDoesNotKnow: a link in the place of an older copy is not followed, and said.
func TestCompressionSparesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "foo.log")
	appendTo(t, filepath.Join(dir, "secret"), "secret\n")
	if err := os.Symlink("secret", path+".1"); err != nil {
		t.Fatal(err)
	}
	said := make(chan error, 1)
	p := packer{fails: func(err error) { said <- err }}
	p.start(path)
	if err := <-said; !strings.Contains(err.Error(), "cannot compress an older copy of "+path) {
		t.Error(err)
	}
	p.close()
	if names, _ := filepath.Glob(path + "*"); len(names) != 1 {
		t.Errorf("there are %v", names)
	}
}

// TestARotationMayOvertakeCompression: a copy that got another number, or is gone, by the time it is compressed.
func TestARotationMayOvertakeCompression(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "foo.log")
	p := &packer{}
	pack := func(meanwhile func()) {
		t.Helper()
		appendTo(t, path+".1", "text\n")
		info, err := os.Stat(path + ".1")
		if err != nil {
			t.Fatal(err)
		}
		from, err := os.Open(path + ".1")
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		if err := p.compress(from, info, path+".gz.new"); err != nil {
			t.Fatal(err)
		}
		meanwhile()
		if err := p.replace(path, info, path+".gz.new"); err != nil {
			t.Fatal(err)
		}
		os.Remove(path + ".gz.new")
	}
	pack(func() {
		if err := moveCopy(path, 1, 2, []form{numbered, compressed}); err != nil {
			t.Fatal(err)
		}
		appendTo(t, path+".1", "newer\n")
	})
	if names, _ := filepath.Glob(path + "*"); fmt.Sprint(names) != fmt.Sprint([]string{path + ".1", path + ".2.gz"}) {
		t.Errorf("there are %v", names)
	}
	var got bytes.Buffer
	if err := Tail(dir, "foo", -1, &got); err != nil || got.String() != "text\nnewer\n" {
		t.Errorf("%q, %v", got.String(), err)
	}
	os.Remove(path + ".1")
	os.Remove(path + ".2.gz")
	pack(func() { os.Remove(path + ".1") })
	if names, _ := filepath.Glob(path + "*"); len(names) != 0 {
		t.Errorf("there are %v", names)
	}
}

// TestFilesAreRotatedByAge when they are written to, between two lines.
func TestFilesAreRotatedByAge(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.Logs{Size: 1 << 20, Keep: 100, MaxAge: 200}, nil)
	lines := 0
	eventually(t, func() bool {
		fmt.Fprintf(l.Writer(), "line %d ", lines)
		if err := l.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(l.Writer(), "ends\n")
		if err := l.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		lines++
		return len(paths(t, dir)) == 4
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	next := 0
	for line := range strings.Lines(whole(t, dir)) {
		if line != fmt.Sprintf("line %d ends\n", next) {
			t.Fatalf("instead of line %d there is %q", next, line)
		}
		next++
	}
	if next != lines {
		t.Errorf("%d lines of %d", next, lines)
	}
}

// TestAgeIsThatOfTheFile: a supervisor that starts anew goes by when the file was made, not by when it opened it.
func TestAgeIsThatOfTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	appendTo(t, filepath.Join(dir, "foo.log"), "former\n")
	f, err := openAppend(filepath.Join(dir, "foo.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	o := file{f: f, now: time.Now}
	if born := o.birth(info); time.Since(born) > time.Minute || born.After(info.ModTime().Add(time.Second)) {
		t.Errorf("born %v, written %v", born, info.ModTime())
	}
}
