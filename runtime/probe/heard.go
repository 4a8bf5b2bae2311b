package probe

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"recipe/runtime/plan"
)

// HeardName is how people call a probe that asks nothing.
func HeardName(p *plan.Probe) string {
	switch {
	case p.LogLine != nil:
		return fmt.Sprintf("log_line %q", p.LogLine.Pattern)
	case p.Notify.Descriptor > 0:
		return fmt.Sprintf("notify on descriptor %d", p.Notify.Descriptor)
	}
	return "notify"
}

// logLine stands for a log_line probe where a test gives what the daemon writes.
type logLine struct {
	pattern *regexp.Regexp
	named   string
}

func resolveLine(p *plan.Probe) (exchange, error) {
	pattern, err := regexp.Compile(p.LogLine.Pattern)
	if err != nil {
		return nil, err
	}
	return logLine{pattern, HeardName(p)}, nil
}

func (l logLine) name() string { return l.named }

func (l logLine) run(context.Context, time.Duration) (string, error) {
	return "", errors.New("the daemon's output is read by its supervisor alone")
}

func (l logLine) replay(g Given, _ time.Duration) error {
	said := answers{g.Replies}
	for {
		text, ended, err := said.next()
		if ended || err != nil {
			return errors.New("no line matches")
		}
		if l.pattern.Match(text) {
			return nil
		}
	}
}
