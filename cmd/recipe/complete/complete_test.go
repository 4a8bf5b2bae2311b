package complete

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type grammar struct {
	Check struct {
		JSON  bool     `name:"json" help:"As JSON."`
		Files []string `arg:"" name:"file"`
	} `cmd:"" help:"Check."`
	Build struct {
		Format string   `enum:"deb,rpm" default:"deb" short:"f"`
		Set    []string `sep:"none"`
		File   string   `arg:"" name:"file"`
		Word   string   `arg:"" optional:"" name:"word"`
	} `cmd:""`
	Repo struct {
		Init struct{} `cmd:""`
		Add  struct{} `cmd:""`
	} `cmd:""`
	Secret struct{} `cmd:"" hidden:""`
	Quiet  bool
}

// TestLinesGoOn gives for each line, of which the last word is being typed, how it may go on.
func TestLinesGoOn(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&grammar{}, kong.Name("tool"))
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]Source{
		"file": func(Line) Answer { return Answer{Files: true} },
		"word": func(l Line) Answer {
			return Answer{Candidates: []Candidate{{Word: "of-" + strings.Join(l.Given["file"], "+")}, {Word: l.Verb}}}
		},
		"set": func(l Line) Answer {
			return Answer{Candidates: []Candidate{{Word: "port="}, {Word: "pages="}, {Word: l.Word + "!"}}}
		},
	}
	for _, test := range []struct{ line, want string }{
		{"", "check build repo"},
		{"c", "check"},
		{"x", ""},
		{"repo ", "init add"},
		{"repo a", "add"},
		{"--quiet ch", "check"},
		{"-", "--help --quiet"},
		{"check -", "--help --quiet --json"},
		{"check ", "FILES"},
		{"check a b", "FILES"},
		{"check -- -", "FILES"},
		{"check --json ", "FILES"},
		{"check --json=", ""},
		{"build --f", "--format="},
		{"build --format ", "deb rpm"},
		{"build -f r", "rpm"},
		{"build --format=d", "--format=deb"},
		{"build --format deb ", "FILES"},
		{"build --set p", "port= pages= p!"},
		{"build --set port=8 x ", "of-x build"},
		{"build --set=po", "--set=port= --set=po!"},
		{"build x y ", ""},
		{"nothing ", "check build repo"},
	} {
		a := Complete(parser.Model.Node, strings.Split(test.line, " "), sources)
		var got []string
		for _, c := range a.Candidates {
			got = append(got, c.Word)
		}
		if a.Files {
			got = append(got, "FILES")
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: got %q, want %q", test.line, got, test.want)
		}
	}
}
