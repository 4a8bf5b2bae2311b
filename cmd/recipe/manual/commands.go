package manual

import (
	"strings"

	"github.com/alecthomas/kong"
)

// Commands is recipe(1): every verb of the command line with its arguments and flags.
func Commands(app *kong.Application) []byte {
	p := newPage("recipe", 1, "keep a daemon running, from one file that describes it")
	p.heading("SYNOPSIS")
	p.text("recipe VERB [ARGUMENT...]")
	p.heading("DESCRIPTION")
	p.text(app.Help + "\n\nFILE is a recipe, see recipe(5), or a plan's JSON, or - for standard input. Answers go to standard output, everything else to standard error.")
	p.heading("VERBS")
	for _, verb := range app.Leaves(true) {
		p.verb(verb)
	}
	p.heading("EXIT STATUS")
	p.item("0", "Done.")
	p.item("1", "The answer is no (not sound, not healthy, not up), or it could not be done.")
	p.item("2", "Wrong usage; nothing was done.")
	p.item("100", "Of recipe exec and of run-foo: the service cannot be started here.")
	p.heading("ENVIRONMENT")
	p.item("RECIPE_RUNTIME_DIR", "Where control sockets lie: /run/recipe for root, $XDG_RUNTIME_DIR/recipe otherwise.")
	p.item("RECIPE_STATE_DIR", "What must survive: /var/lib/recipe for root, $XDG_STATE_HOME/recipe otherwise.")
	p.item("RECIPE_LOG_DIR", "Logs: /var/log/recipe for root, log in the state folder otherwise.")
	p.heading("FILES")
	p.item("/etc/NAME/flags", "The host's flags of the recipe NAME, name=value a line.")
	p.heading("SEE ALSO")
	p.text("recipe(5)")
	return p.bytes()
}

func (p *page) verb(n *kong.Node) {
	p.subheading(strings.TrimPrefix(n.Summary(), "recipe "))
	p.text(n.Help)
	if n.Detail != "" {
		p.text(n.Detail)
	}
	for _, a := range n.Positional {
		if a.Help != "" {
			p.item(strings.ToUpper(a.Name), a.Help)
		}
	}
	for _, f := range n.Flags {
		if !f.Hidden {
			p.item(option(f), f.Help)
		}
	}
}

// option is a flag as it is typed.
func option(f *kong.Flag) string {
	text := "--" + f.Name
	if f.Short != 0 {
		text = "-" + string(f.Short) + ", " + text
	}
	if !f.IsBool() && !f.IsCounter() {
		text += "=" + f.FormatPlaceHolder()
	}
	return text
}
