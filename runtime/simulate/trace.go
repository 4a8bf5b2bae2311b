package simulate

import (
	"fmt"
	"strings"

	"recipe/runtime/supervise"
)

// describe is an event in a line of a trace.
func describe(e supervise.Event) string {
	name := supervise.EventName(e)
	switch e := e.(type) {
	case supervise.Start:
		return name + " (" + e.Why + ")"
	case supervise.Stop:
		return name + " (" + e.Why + ")"
	case supervise.Restart:
		return name + " (" + e.Why + ")"
	case supervise.NotSane:
		return name + " (" + e.Reason + ")"
	case supervise.SpawnFailed:
		return name + " (" + e.Reason + ")"
	case supervise.Exited:
		return name + " (" + e.Status + ")"
	case supervise.Emptied:
		return fmt.Sprintf("%s (%d left)", name, e.Left)
	case supervise.Extend:
		return fmt.Sprintf("%s (%s)", name, e.By)
	case supervise.Answer:
		switch {
		case e.OK:
			return fmt.Sprintf("%s of probe %d", name, e.Probe)
		case e.Inconclusive:
			return fmt.Sprintf("%s of probe %d: inconclusive: %s", name, e.Probe, e.Detail)
		}
		return fmt.Sprintf("%s of probe %d: %s", name, e.Probe, e.Detail)
	}
	return name
}

func describeAll(actions []supervise.Action) string {
	var b strings.Builder
	for _, a := range actions {
		name := fmt.Sprintf("%T", a)
		b.WriteString("; " + strings.ToLower(name[strings.LastIndexByte(name, '.')+1:]))
		if record, ok := a.(supervise.Record); ok {
			b.WriteString(" " + record.What + ": " + record.Why)
		}
	}
	return b.String()
}
