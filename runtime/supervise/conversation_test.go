package supervise

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"recipe/runtime/plan"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

var origin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// probed is a service with one probe: two failures kill, one answer makes healthy, 5 s are given to begin with.
func probed() Config {
	return Config{
		Restart: plan.Restart{Delay: 1000, Cap: 8000, StableAfter: 60_000},
		Stop:    plan.DefaultStop(),
		Probes:  []plan.Probe{{TCP: &plan.TCPProbe{}, Every: 1000, Timeout: 500, Failures: 2, Successes: 1, StartWithin: 5000}},
	}
}

// roles is probed with a probe of each role.
func roles() Config {
	c := probed()
	live := c.Probes[0]
	for _, role := range []plan.Role{plan.RoleReadiness, plan.RoleStartup} {
		other := live
		other.Role = role
		c.Probes = append(c.Probes, other)
	}
	return c
}

// TestConversations replays testdata/*.txt: a line "TIME EVENT [TEXT]" is a step, the indented lines under it are what
// the machine answered: its actions and, behind "=", the state that it is in.
func TestConversations(t *testing.T) {
	replay(t, "testdata/*.txt", func() teller {
		m := New(probed(), 1)
		return func(now time.Time, e Event) (Machine, []Action) {
			var actions []Action
			m, actions = m.Step(now, e)
			return m, actions
		}
	})
}

// teller tells a machine an event, and gives what it has become and what it asks for.
type teller func(time.Time, Event) (Machine, []Action)

func replay(t *testing.T, pattern string, fresh func() teller) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := converse(t, string(data), fresh())
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(data) {
				t.Errorf("answers differ; -update rewrites them. Now:\n%s", got)
			}
		})
	}
}

func converse(t *testing.T, script string, tell teller) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(script) {
		switch {
		case strings.HasPrefix(line, "    "):
			continue
		case strings.HasPrefix(line, "#"), strings.TrimSpace(line) == "":
			out.WriteString(line)
			continue
		}
		fields := strings.SplitN(strings.TrimSpace(line), " ", 3)
		after, err := time.ParseDuration(fields[0])
		if err != nil || len(fields) < 2 {
			t.Fatalf("not a step: %q", line)
		}
		text := ""
		if len(fields) == 3 {
			text = fields[2]
		}
		now := origin.Add(after)
		m, actions := tell(now, eventOf(t, fields[1], text))
		out.WriteString(line)
		for _, a := range actions {
			fmt.Fprintf(&out, "    %s\n", show(a))
		}
		fmt.Fprintf(&out, "    = %s\n", showMachine(m, now))
	}
	return out.String()
}

func eventOf(t *testing.T, word, text string) Event {
	t.Helper()
	switch word {
	case "start":
		return Start{text}
	case "extend":
		by, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return Extend{By: by}
	case "leaving":
		return Leaving{}
	case "hung":
		return Answer{Hung: true, Detail: text, Name: "notify"}
	case "stop":
		return Stop{text}
	case "restart":
		return Restart{text}
	case "reload":
		return Reload{Signal: "HUP", Why: text}
	case "hasten":
		return Hasten{text}
	case "timer":
		return Timer{}
	case "admitted":
		return Admitted{}
	case "executed":
		return Executed{}
	case "not-sane":
		return NotSane{text}
	case "spawn-failed":
		return SpawnFailed{text}
	case "exited":
		return Exited{Status: text, OK: text == "exit code 0"}
	case "emptied":
		left, _ := strconv.Atoi(text)
		return Emptied{Left: left}
	case "ok-0", "ok-1", "ok-2":
		return Answer{OK: true, Probe: int(word[3] - '0'), Name: "tcp 80"}
	case "fail-0", "fail-1", "fail-2":
		return Answer{Probe: int(word[5] - '0'), Name: "tcp 80", Detail: text}
	case "roles":
		return Configure{roles()}
	case "ok":
		return Answer{OK: true, Name: "tcp 80", Detail: text}
	case "fail":
		return Answer{Name: "tcp 80", Detail: text}
	case "inconclusive":
		return Answer{Inconclusive: true, Name: "tcp 80", Detail: text}
	case "run":
		return RunNow{text}
	case "timeout":
		limit, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		c := hourly()
		c.Timeout = limit
		return ConfigureTask{c}
	case "no-probes":
		c := probed()
		c.Probes = nil
		return Configure{c}
	}
	t.Fatalf("no such event: %q", word)
	return nil
}

func show(a Action) string {
	switch a := a.(type) {
	case Record:
		return fmt.Sprintf("record %s: %s", a.What, a.Why)
	case Signal:
		return "signal " + a.Name
	case Ran:
		return fmt.Sprintf("ran, ok %t: %s", a.OK, a.Result)
	case Rewrite:
		return "rewrite, signal " + a.Signal
	}
	name := fmt.Sprintf("%T", a)
	return strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
}

func showMachine(m Machine, now time.Time) string {
	text := string(m.State)
	if m.State == Running {
		text += map[bool]string{true: " healthy", false: " not healthy"}[m.Healthy]
		if asked := m.Asked(); len(asked) != len(m.Config.Probes) {
			text += fmt.Sprintf(", asks %v", asked)
		}
	}
	if !m.Due.IsZero() {
		text += fmt.Sprintf(", due in %s", m.Due.Sub(now).Round(time.Millisecond))
	}
	return text
}
