package logs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// written makes a log of three files, the oldest of them compressed, and tells when each was last written to.
func written(t *testing.T, dir, service string, texts [3]string, at [3]time.Time) {
	t.Helper()
	for i, suffix := range []string{".log.2.gz", ".log.1", ".log"} {
		path := filepath.Join(dir, service+suffix)
		text := texts[i]
		if i == 0 {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			z.Write([]byte(text))
			z.Close()
			text = packed.String()
		}
		appendTo(t, path, text)
		if err := os.Chtimes(path, at[i], at[i]); err != nil {
			t.Fatal(err)
		}
	}
}

func minute(n int) time.Time { return time.Date(2026, 2, 3, 11, n, 0, 0, time.UTC) }

func TestQueryChoosesLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	line := func(n int, text string) string { return minute(n).Format(stamp) + " " + text + "\n" }
	ends := [3]time.Time{minute(1), minute(3), minute(5)}
	written(t, dir, "stamped", [3]string{line(0, "a one") + line(1, "b two"), line(2, "a three") + line(3, "b four"), line(4, "a five") + "  indented\n" + line(5, "b six")}, ends)
	written(t, dir, "json", [3]string{`{"time":"2026-02-03T11:00:00.000Z","service":"json","text":"a one"}` + "\n", "", `{"time":"2026-02-03T11:05:00.000Z","service":"json","text":"b two"}`}, ends)
	written(t, dir, "plain", [3]string{"one\n", "two\nthree\n", "four\nfive"}, ends)
	for _, test := range []struct {
		service string
		query   Query
		want    string
	}{
		{"stamped", Query{Lines: -1}, "one two three four five indented six"},
		{"stamped", Query{Lines: 3}, "five indented six"},
		{"stamped", Query{Lines: 100}, "one two three four five indented six"},
		{"stamped", Query{Lines: 0}, ""},
		{"stamped", Query{Lines: -1, Since: minute(4)}, "five indented six"},
		{"stamped", Query{Lines: -1, Since: minute(3)}, "four five indented six"},
		{"stamped", Query{Lines: 1, Since: minute(3)}, "six"},
		{"stamped", Query{Lines: -1, Since: minute(6)}, ""},
		{"stamped", Query{Lines: -1, Match: regexp.MustCompile(` a `)}, "one three five"},
		{"stamped", Query{Lines: 2, Match: regexp.MustCompile(` b `)}, "four six"},
		{"json", Query{Lines: -1, Since: minute(2)}, `two"}`},
		{"json", Query{Lines: -1, Match: regexp.MustCompile(`"a `)}, `one"}`},
		{"plain", Query{Lines: -1, Since: minute(2)}, "two three four five"},
		{"plain", Query{Lines: -1, Match: regexp.MustCompile(`o`)}, "one two four"},
		{"nothing", Query{Lines: -1}, ""},
	} {
		var got []string
		settled := false
		err := test.query.Read(context.Background(), dir, test.service, false, func(l Line) {
			got = append(got, string(l.Text[bytes.LastIndexByte(l.Text, ' ')+1:]))
		}, func() { settled = true })
		if err != nil || !settled || strings.Join(got, " ") != test.want {
			t.Errorf("%s, %+v: %q, %v; wanted %q", test.service, test.query, got, err, test.want)
		}
	}
}

// TestMergeGoesByTime, and then shows what is added to any of them.
func TestMergeGoesByTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := range 6 {
		appendTo(t, filepath.Join(dir, []string{"b", "a"}[n%2]+".log"), minute(n).Format(stamp)+fmt.Sprintf(" %d\n", n))
	}
	appendTo(t, filepath.Join(dir, "plain.log"), "no time\n")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	got := make(chan string, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- Query{Lines: 2}.Merge(ctx, map[string]string{"a": dir, "b": dir, "plain": dir}, []string{"a", "b", "plain"}, true, func(service string, l Line) {
			got <- service + string(l.Text[max(0, len(l.Text)-2):])
		})
	}()
	for _, want := range []string{"plainme", "b 2", "a 3", "b 4", "a 5"} {
		same(t, <-got, want)
	}
	appendTo(t, filepath.Join(dir, "b.log"), "is 6\n")
	same(t, <-got, "b 6")
	appendTo(t, filepath.Join(dir, "a.log"), "is 7\n")
	same(t, <-got, "a 7")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// FuzzLineTime: what is taken for a time is one that the file's lines can begin with.
func FuzzLineTime(f *testing.F) {
	f.Add([]byte("2026-02-03T11:00:00.005Z text"))
	f.Add([]byte(`{"time":"2026-02-03T11:00:00.005Z","service":"foo","text":""}`))
	f.Add([]byte("2026-02-30T11:00:00.005Z text"))
	f.Fuzz(func(t *testing.T, line []byte) {
		at, ok := lineTime(line)
		if ok && !bytes.Contains(line, []byte(at.Format(stamp))) {
			t.Fatalf("%q is at %v", line, at)
		}
	})
}
