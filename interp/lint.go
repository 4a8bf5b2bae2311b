package interp

import (
	"fmt"

	"recipe/builtins/diag"
	"recipe/runtime/plan"
)

// declares refuses a recipe that makes nothing. It is an error, and not a warning, for the sake of what runs already: a
// file that an editor has emptied to write it anew must not read as a wish to stop every service.
func (e *evaluation) declares(p *plan.Plan) {
	if len(p.Services)+len(p.Tasks) == 0 && p.Package == nil {
		e.add(diag.Diagnostic{Severity: diag.Error, Code: CodeNothing, At: diag.Span{File: e.name}, Message: "the recipe declares neither a service, a task nor a package",
			Hint: "service(name = ..., command = [...]); a file of functions alone is loaded by a recipe, not evaluated as one"})
	}
}

// lint warns of what is allowed and probably not meant.
func (e *evaluation) lint(p *plan.Plan) {
	for i, s := range p.Services {
		if len(s.Probes) == 0 {
			e.warn(fmt.Sprintf("services[%d]", i), diag.Diagnostic{Code: CodeNoProbe, Message: fmt.Sprintf("nothing asks service %q whether it works, so that a hang goes unnoticed", s.Name),
				Hint: `probes = [http(8080, "/healthz")], or tcp with an answer to expect`})
		}
		for j, probe := range s.Probes {
			if probe.TCP != nil && probe.TCP.ConnectOnly {
				e.warn(fmt.Sprintf("services[%d].probes[%d].tcp.connect_only", i, j), diag.Diagnostic{Code: CodeConnectOnly,
					Message: "a connection is no answer: the kernel accepts it for a daemon that hangs", Hint: "send something and expect an answer, if the protocol has one"})
			}
		}
	}
}

func (e *evaluation) warn(path string, d diag.Diagnostic) {
	call, part := e.recording.Origin(path)
	d.Severity = diag.Warning
	if call != nil {
		d.Word, d.At, d.Chain = call.Word, e.locate(call, part), frames(call.Site.Chain)
	} else {
		d.At.File = e.name
	}
	e.add(d)
}
