package lint

import (
	"fmt"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// probes finds services that nothing asks, and questions that are none.
func (l *linter) probes(i int, s *plan.Service) {
	at := fmt.Sprintf("services[%d]", i)
	if len(s.Probes) == 0 {
		l.find(plan.Problem{Path: at, Code: CodeNoProbe, Message: fmt.Sprintf("nothing asks service %q whether it works, so that a hang goes unnoticed", s.Name),
			Hint: `probes = [http(8080, "/healthz")], or tcp with an answer to expect`})
	}
	for j := range s.Probes {
		p := &s.Probes[j]
		at := fmt.Sprintf("%s.probes[%d]", at, j)
		if p.TCP != nil && p.TCP.ConnectOnly {
			l.find(plan.Problem{Path: at + ".tcp.connect_only", Code: CodeConnectOnly, Message: "a connection is no answer: the kernel accepts it for a daemon that hangs",
				Hint: "send something and expect an answer, if the protocol has one"})
		}
		if p.Timeout >= p.Every {
			l.find(plan.Problem{Path: at + ".timeout", Code: CodeTimeout, Found: expr.FormatDuration(int64(p.Timeout)) + " of " + expr.FormatDuration(int64(p.Every)),
				Message: "an answer may take longer than it is until the next question, so that a slow daemon is asked without a pause", Hint: "a timeout below every, or a greater every"})
		}
	}
}
