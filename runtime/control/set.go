package control

// Changes is what an operator wants of a service's flags: Set holds flag=value, as in a flags file, and Unset the names
// that return to their default, as does a flag= of Set.
type Changes struct {
	Set   []string
	Unset []string
}

// Changed is what became of Changes. Problem says why what runs does not have them, though they are in the file.
type Changed struct {
	File    string       `json:"file"`
	Flags   []FlagChange `json:"flags"`
	Effects []FlagEffect `json:"effects"` // of the services for which something changed
	Problem string       `json:"problem,omitempty"`
}

// FlagChange is one flag of the file. Before and After are as an operator writes them, absent where the default holds,
// and of a secret. Note says why the change is without effect.
type FlagChange struct {
	Flag    string  `json:"flag"`
	Before  *string `json:"before,omitempty"`
	After   *string `json:"after,omitempty"`
	Secret  bool    `json:"secret,omitempty"`
	Changed bool    `json:"changed"`
	Note    string  `json:"note,omitempty"`
}

// NewFlagChange leaves out what is secret.
func NewFlagChange(flag string, secret bool, before, after *string) FlagChange {
	c := FlagChange{Flag: flag, Secret: secret, Changed: (before == nil) != (after == nil) || before != nil && *before != *after}
	if !secret {
		c.Before, c.After = before, after
	}
	return c
}

// String tells the change to people: "port: 80 -> 8080".
func (c FlagChange) String() string {
	text := func(value *string) string {
		if value == nil {
			return "the default"
		}
		return *value
	}
	switch {
	case !c.Changed:
		return c.Flag + ": as it was"
	case c.Secret:
		return c.Flag + ": another secret"
	}
	return c.Flag + ": " + text(c.Before) + " -> " + text(c.After)
}

// Effect is what a change of flags was seen to do to a service.
type Effect string

// The effects. A change that is postponed waits for sockets that cannot be opened, or because another
// service failed with it.
const (
	Restarted   Effect = "restarted"
	Signalled   Effect = "signalled"
	NextStart   Effect = "next-start"
	Postponed   Effect = "postponed"
	Unsignalled Effect = "not-signalled"
)

// FlagEffect is the effect on one service, and how that stands now. Problem says why it goes on without the change.
type FlagEffect struct {
	Effect  Effect `json:"effect"`
	Why     string `json:"why"` // the flags
	Problem string `json:"problem,omitempty"`
	Status
}
