package logs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"recipe/runtime/plan"
)

func TestTailReadsOverFiles(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", block+10) + "\n"
	for name, test := range map[string]struct {
		files []string // the oldest first
		n     int
		want  string
	}{
		"no file":                     {nil, 10, ""},
		"empty file":                  {[]string{""}, 10, ""},
		"none":                        {[]string{"a\nb\n"}, 0, ""},
		"one":                         {[]string{"a\nb\n"}, 1, "b\n"},
		"exactly all":                 {[]string{"a\nb\n"}, 2, "a\nb\n"},
		"more than all":               {[]string{"a\nb\n"}, 3, "a\nb\n"},
		"all":                         {[]string{"a\n", "b\n", "c\n"}, -1, "a\nb\nc\n"},
		"unfinished":                  {[]string{"a\nb"}, 1, "b"},
		"unfinished and one":          {[]string{"a\nb\nc"}, 2, "b\nc"},
		"from the file before":        {[]string{"a\nb\n", "c\n"}, 2, "b\nc\n"},
		"from two files before":       {[]string{"a\nb\n", "c\n", "d\n"}, 3, "b\nc\nd\n"},
		"not from the file before":    {[]string{"a\n", "b\nc\n"}, 2, "b\nc\n"},
		"blank lines":                 {[]string{"\n\n\n"}, 2, "\n\n"},
		"line longer than a block":    {[]string{"a\n" + long + "b\n"}, 2, long + "b\n"},
		"newline ends a whole block":  {[]string{strings.Repeat("x", block-1) + "\n" + long}, 1, long},
		"an older file, just rotated": {[]string{"a\n", "b\n", ""}, 1, "b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for i, content := range test.files {
				appendTo(t, numbered(filepath.Join(dir, "foo.log"), len(test.files)-1-i), content)
			}
			var got bytes.Buffer
			if err := Tail(dir, "foo", test.n, &got); err != nil {
				t.Fatal(err)
			}
			same(t, got.String(), test.want)
		})
	}
}

func TestTailFindsTheFilesBetweenRotationAndNextWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	appendTo(t, filepath.Join(dir, "foo.log.1"), "a\nb\n")
	var got bytes.Buffer
	if err := Tail(dir, "foo", 1, &got); err != nil {
		t.Fatal(err)
	}
	same(t, got.String(), "b\n")
}

func TestFollowMissesNothingOverRotations(t *testing.T) {
	t.Parallel()
	l, dir := start(t, plan.Logs{Size: 16 << 10, Keep: 100}, nil)
	io.WriteString(l.Writer(), "old\nrecent\n")
	drain(t, l)
	got := follow(t, dir, 1)
	eventually(t, func() bool { return got.String() == "recent\n" })
	want := "recent\n"
	for range 3 { // several rotations between two looks, thrice
		var text strings.Builder
		for i := range 5000 {
			fmt.Fprintf(&text, "line %d\n", i)
		}
		io.WriteString(l.Writer(), text.String())
		drain(t, l)
		want += text.String()
		eventually(t, func() bool { return len(got.String()) >= len(want) })
		same(t, got.String(), want)
	}
}

func TestFollowGoesOnAfterTheFileIsTakenAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "foo.log")
	got := follow(t, dir, 10)
	appendTo(t, path, "one\n") // which did not exist
	eventually(t, func() bool { return got.String() == "one\n" })
	os.Remove(path)
	appendTo(t, path, "two\n")
	eventually(t, func() bool { return got.String() == "one\ntwo\n" })
	os.Rename(path, path+".1")
	appendTo(t, path+".1", "three\n") // a writer that has not noticed yet
	eventually(t, func() bool { return got.String() == "one\ntwo\nthree\n" })
	appendTo(t, path, "four\n")
	eventually(t, func() bool { return got.String() == "one\ntwo\nthree\nfour\n" })
	os.Truncate(path, 0)
	appendTo(t, path, "5\n")
	eventually(t, func() bool { return got.String() == "one\ntwo\nthree\nfour\n5\n" })
}

// text is a buffer that may be read while it is written.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *text) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *text) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// follow runs Follow until the test ends.
func follow(t *testing.T, dir string, n int) *text {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var got text
	go func() { ended <- Follow(ctx, dir, "foo", n, &got) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Follow: %v", err)
		}
	})
	return &got
}
