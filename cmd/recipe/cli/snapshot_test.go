package cli

import (
	"io/fs"
	"strings"
	"testing"
)

// countedFiles are files that count how often they are read.
type countedFiles struct {
	files map[string]string
	reads int
}

func (c *countedFiles) Read(key string, most int) ([]byte, error) {
	c.reads++
	text, ok := c.files[key]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text[:min(len(text), most)]), nil
}

func (c *countedFiles) Names(string) []string { return nil }

// TestBatchSeesOneSnapshot reads what was read before, what is missing, what was cut, and the same name in another folder.
func TestBatchSeesOneSnapshot(t *testing.T) {
	t.Parallel()
	s := &snapshot{}
	here, there := &countedFiles{files: map[string]string{"a.star": "before"}}, &countedFiles{files: map[string]string{"a.star": "there"}}
	read := func(folder string, c *countedFiles, key string, most int, want string, reads int) {
		t.Helper()
		data, err := s.of(folder, c).Read(key, most)
		if string(data) != want || (err != nil) != (want == "") || c.reads != reads {
			t.Errorf("got %q, %v, after %d reads", data, err, c.reads)
		}
	}
	read("here", here, "b.star", 10, "", 1)
	here.files["b.star"] = "has come"
	read("here", here, "b.star", 3, "has", 2)
	read("here", here, "b.star", 10, "has come", 3)
	read("here", here, "b.star", 3, "has", 4)
	read("here", here, "a.star", 10, "before", 5)
	here.files["a.star"] = "after"
	read("here", here, "a.star", 10, "before", 5)
	read("there", there, "a.star", 10, "there", 1)
}

func TestSnapshotIsBounded(t *testing.T) {
	t.Parallel()
	s := &snapshot{}
	c := &countedFiles{files: map[string]string{}}
	for _, key := range strings.Split("abcdefgh", "") {
		c.files[key] = strings.Repeat(key, 1<<20)
		if _, err := s.of(".", c).Read(key, 1<<20+1); err != nil || s.size > mostSnapshot || len(s.files) > 4 {
			t.Errorf("%d files are kept, of %d bytes: %v", len(s.files), s.size, err)
		}
	}
}
