package launch

import "strings"

// Template is a file with a text of ours.
type Template struct {
	Path string `json:"path"`
	Text string `json:"text"`
	Ownership
}

func (t *Template) prepare(service string) error {
	f := written{path: t.Path, ownership: t.Ownership, content: strings.NewReader(t.Text), size: int64(len(t.Text))}
	return f.prepare(service)
}
