package logs

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"recipe/runtime/plan"
)

var noon = time.Date(2026, 2, 3, 12, 0, 0, 5_000_000, time.FixedZone("", 3600))

// shaped hands the stream over in pieces that end at the cuts.
func shaped(text string, limits plan.Logs, cuts ...int) string {
	s := shaper{service: "foo"}
	var out bytes.Buffer
	from := 0
	for _, cut := range append(cuts, len(text)) {
		if cut > from && cut <= len(text) {
			out.Write(s.shape([]byte(text[from:cut]), limits, noon))
			from = cut
		}
	}
	return out.String()
}

func TestLinesAreStampedOrMadeJSON(t *testing.T) {
	t.Parallel()
	const text = "one\n\ntwo \"é\" \\ \t\x1b\xff\xc3\nthree"
	for name, c := range map[string]struct {
		limits plan.Logs
		want   string
	}{
		"as written": {plan.Logs{}, text},
		"stamped":    {plan.Logs{Timestamps: true}, "2026-02-03T11:00:00.005Z one\n2026-02-03T11:00:00.005Z \n2026-02-03T11:00:00.005Z two \"é\" \\ \t\x1b\xff\xc3\n2026-02-03T11:00:00.005Z three"},
		"JSON": {plan.Logs{Format: plan.LogJSON}, `{"time":"2026-02-03T11:00:00.005Z","service":"foo","text":"one"}
{"time":"2026-02-03T11:00:00.005Z","service":"foo","text":""}
{"time":"2026-02-03T11:00:00.005Z","service":"foo","text":"two \"é\" \\ \t\u001b\ufffd\ufffd"}
{"time":"2026-02-03T11:00:00.005Z","service":"foo","text":"three`},
	} {
		if got := shaped(text, c.limits); got != c.want {
			t.Errorf("%s:\n%q\nwanted\n%q", name, got, c.want)
		}
		for cut := range len(text) {
			if got := shaped(text, c.limits, cut); got != c.want {
				t.Errorf("%s, cut at %d:\n%q\nwanted\n%q", name, cut, got, c.want)
			}
		}
	}
}

// TestAFormatThatChangesEndsTheLineFirst: a line that was begun as JSON is ended as JSON.
func TestAFormatThatChangesEndsTheLineFirst(t *testing.T) {
	t.Parallel()
	s := shaper{service: "foo"}
	got := string(s.shape([]byte("one"), plan.Logs{Format: plan.LogJSON}, noon))
	got += string(s.shape([]byte(" more\ntwo\n"), plan.Logs{}, noon))
	if want := `{"time":"2026-02-03T11:00:00.005Z","service":"foo","text":"one more"}` + "\ntwo\n"; got != want {
		t.Errorf("%q, wanted %q", got, want)
	}
}

// FuzzShape: every line of JSON is an object that holds the text, however the stream was cut.
func FuzzShape(f *testing.F) {
	f.Add("one\ntwo é\n\xff\xe2\x98", 3, 9)
	f.Fuzz(func(t *testing.T, text string, first, second int) {
		text += "\n"
		got := shaped(text, plan.Logs{Format: plan.LogJSON}, first, second)
		var back strings.Builder
		for line := range strings.Lines(got) {
			var object struct{ Time, Service, Text string }
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			back.WriteString(object.Text + "\n")
		}
		if utf8.ValidString(text) && back.String() != text {
			t.Fatalf("%q came back as %q", text, back.String())
		}
		if strings.Count(back.String(), "\n") != strings.Count(text, "\n") {
			t.Fatalf("%q has other lines than %q", back.String(), text)
		}
	})
}
