package builtins

import (
	"slices"

	"go.starlark.net/starlark"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// Recording is what one evaluation has declared, and the mistakes that it made on the way. It belongs to one thread.
type Recording struct {
	// Loading is above zero while a loaded module's own statements run, which may not declare.
	Loading int

	// ReadText gives the text of a file of the recipe's folder, or says why it cannot. path is as the source of that name
	// writes it.
	ReadText func(path, source string) (string, *diag.Diagnostic)

	Flags    []plan.Flag
	Accounts []plan.Account
	Package  *plan.Package
	Services []plan.Service
	Tasks    []plan.Task
	Hooks    []plan.Hook
	Mistakes []Mistake

	kept     []Kept
	thread   *starlark.Thread
	mistakes int // reported so far
	notes    int
	refused  *refusal // the last that went through Starlark
	flags    []*Call
	accounts []*Call
	pkg      *packageCalls
	services []serviceCalls
	tasks    []serviceCalls
	hooks    []hookCalls
}

// packageCalls and serviceCalls are the calls that made the parts of a declaration; nil where one was left out.
type packageCalls struct {
	self     *Call
	build    []*Call
	contents []*Call
}

type serviceCalls struct {
	self                        *Call
	env                         []string // keys in the order of the plan
	prepare, listen, probes     []*Call
	restart, stop, limits, logs *Call
}

// hookCalls are of one phase.
type hookCalls struct {
	self  *Call
	phase string
	steps []*Call
}

// NewRecording is an empty one.
func NewRecording() *Recording { return &Recording{} }

// Aside puts what was declared so far aside, so that other declarations can be recorded; resume brings it back in place of
// those. Probes that were made before may be among what is declared then, and so their functions stay.
func (r *Recording) Aside() (resume func()) {
	before := *r
	*r = Recording{thread: before.thread, kept: slices.Clip(before.kept)}
	return func() { *r = before }
}

const localKey = "recipe"

// Attach makes the words that run on the thread record into r.
func (r *Recording) Attach(thread *starlark.Thread) {
	r.thread = thread
	thread.SetLocal(localKey, r)
}

func recordingOf(thread *starlark.Thread) *Recording { return thread.Local(localKey).(*Recording) }

// Mistake is a diagnostic whose place has not been looked up yet.
type Mistake struct {
	Call    *Call
	Part    Part
	Related []Other
	diag.Diagnostic
}

// Other is another part that a mistake concerns, and in a few words what it has to do with it.
type Other struct {
	Call  *Call
	Part  Part
	Label string
}

// MostMistakes ends the evaluation of a recipe that makes a mistake in a loop.
const MostMistakes = 500

// GivenUp reports whether the evaluation was ended because of too many mistakes.
func (r *Recording) GivenUp() bool { return r.mistakes >= MostMistakes }

// report records a mistake at a part of the call, and that the part cannot be judged any more.
func (r *Recording) report(c *Call, part Part, d diag.Diagnostic, related ...Other) {
	if d.Severity == "" {
		d.Severity = diag.Error
	}
	if d.Word == "" {
		d.Word = c.Word
	}
	r.Mistakes = append(r.Mistakes, Mistake{Call: c, Part: part, Related: related, Diagnostic: d})
	if r.mistakes++; r.mistakes >= MostMistakes {
		r.thread.Cancel("too many mistakes")
	}
	c.spoil(part)
}

// Plan is the plan of what was declared, under the name that it gives or, when it gives none, under fallback.
func (r *Recording) Plan(fallback string) *plan.Plan {
	p := &plan.Plan{Format: plan.Format, Name: fallback, Flags: r.Flags, Accounts: r.Accounts, Package: r.Package, Services: r.Services, Tasks: r.Tasks, Hooks: r.Hooks}
	switch {
	case r.Package != nil:
		p.Name = r.Package.Name
	case len(r.Services) == 1:
		p.Name = r.Services[0].Name
	case len(r.Services) == 0 && len(r.Tasks) == 1:
		p.Name = r.Tasks[0].Name
	}
	return p
}
