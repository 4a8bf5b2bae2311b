package cli

import (
	"fmt"
	"io"
	"strings"

	"recipe/interp"
	"recipe/runtime/plan"
)

type explainCommand struct {
	Code string `arg:"" optional:"" help:"The code of a diagnostic, as it stands in brackets behind it; all are listed without one."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run lists the codes, or explains one.
func (c *explainCommand) Run(s *Streams) error {
	codes := interp.Explanations()
	if c.Code != "" {
		e, ok := interp.Explain(strings.Trim(c.Code, "[]"))
		if !ok {
			return unknownCode(c.Code, codes)
		}
		codes = []interp.Explanation{e}
	}
	switch {
	case c.JSON:
		return printJSON(s.Out, struct {
			Codes []interp.Explanation `json:"codes"`
		}{codes})
	case c.Code == "":
		for _, e := range codes {
			fmt.Fprintf(s.Out, "%-24s %s\n", e.Code, e.Reason)
		}
	default:
		explainCode(s.Out, &codes[0])
	}
	return nil
}

func explainCode(out io.Writer, e *interp.Explanation) {
	fmt.Fprintf(out, "%s\n\n%s\n", e.Code, e.Reason)
	for _, part := range []struct{ title, text string }{{"mistake", e.Example}, {"says", e.Says}, {"mended", e.Mend}} {
		if part.text != "" {
			text := strings.TrimRight(part.text, "\n")
			fmt.Fprintf(out, "\n%s:\n    %s\n", part.title, strings.ReplaceAll(text, "\n", "\n    "))
		}
	}
}

func unknownCode(code string, codes []interp.Explanation) error {
	var names []string
	for _, e := range codes {
		names = append(names, e.Code)
	}
	hint := plan.Nearest(code, names)
	if hint == "" {
		hint = "`recipe explain` lists the codes"
	}
	return fmt.Errorf("no diagnostic has the code %q; %s", code, hint)
}
