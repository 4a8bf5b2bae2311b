package interp

import (
	"fmt"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
	"recipe/runtime/plan/lint"
)

// declares refuses a recipe that makes nothing. It is an error, and not a warning, for the sake of what runs already: a
// file that an editor has emptied to write it anew must not read as a wish to stop every service.
func (e *evaluation) declares(p *plan.Plan) {
	if len(p.Services)+len(p.Tasks) == 0 && p.Package == nil {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeNothing, At: diag.Span{File: e.name}, Message: "the recipe declares neither a service, a task nor a package",
			Hint: "service(name = ..., command = [...]); a file of functions alone is loaded by a recipe, not evaluated as one"})
	}
}

// bounded refuses a plan that could not be read again.
func (e *evaluation) bounded(p *plan.Plan) {
	if p.Most() <= mostPlan {
		return // without the cost of writing it
	}
	if data, err := p.Encode(); err == nil && len(data) > mostPlan {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeTooLarge, At: diag.Span{File: e.name}, Message: fmt.Sprintf("the plan is larger than %d MiB", mostPlan>>20),
			Hint: "a recipe describes; look for a long text that is used many times"})
	}
}

// lint warns of what is allowed and has kept people awake.
func (e *evaluation) lint(p *plan.Plan) {
	for _, f := range lint.Plan(p) {
		d := warning(f)
		call, part := e.recording.Origin(f.Path)
		if call == nil {
			d.At.File, d.Word = e.name, f.Path
			e.add(d)
			continue
		}
		d.Word, d.At, d.Chain = call.Word, e.locate(call, part), frames(call.Site.Chain)
		for _, other := range f.Related {
			if call, part := e.recording.Origin(other.Path); call != nil {
				d.Related = append(d.Related, diag.Related{At: e.locate(call, part), Label: other.Label})
			}
		}
		if f.Mend != nil {
			d.Fix = e.fix(call, part, f.Mend)
		}
		e.add(d)
	}
}

func warning(f lint.Finding) diag.Diagnostic {
	return diag.Diagnostic{Severity: diag.Warning, Code: f.Code, Message: f.Message, Found: f.Found, Accepted: f.Accepted, Hint: f.Hint}
}
