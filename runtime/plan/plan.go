// Package plan says what a recipe means: an immutable, typed, host-independent value with one canonical JSON form. It
// is the narrow waist of the program. What stands before it knows Starlark and nothing of processes; what stands behind
// it knows plans and nothing of Starlark.
//
// Rules:
//   - Same recipe, same bytes: fields are written in the order of the types here, lists in the order of the recipe or
//     sorted where order means nothing, and nothing of the machine enters.
//   - What depends on the host stays an expr.Expr and is resolved at launch.
//   - Validate is the only judge of a plan's sense, whether it came from a recipe or from JSON. It reports every
//     problem at once, each with the path of the field at fault.
//   - The format number rises when a reader of the old form would misread the new one.
//
// Tests: a round trip of every type, golden JSON, a table of problems, and a fuzz target for Decode.
package plan

import (
	"slices"

	"recipe/runtime/expr"
)

// Format is the version of the JSON form.
const Format = 1

// Plan is the whole of a recipe. Name is the package's name, else the only service's, else the only task's where there is
// no service, else the recipe file's; it names the flags file (/etc/NAME/flags), the control socket and the root of a
// --dev run.
type Plan struct {
	Format   int       `json:"format"`
	Name     string    `json:"name"`
	Flags    []Flag    `json:"flags,omitempty"`
	Accounts []Account `json:"accounts,omitempty"`
	Package  *Package  `json:"package,omitempty"`
	Services []Service `json:"services,omitempty"`
	Tasks    []Task    `json:"tasks,omitempty"`
	Hooks    []Hook    `json:"hooks,omitempty"` // one a phase
	Inputs   []Input   `json:"inputs,omitempty"`
}

// Input is a file that the evaluation read besides the recipe itself: its path from the recipe's folder, with slashes,
// and the SHA-256 of its bytes in hex.
type Input struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// Flag is a setting that an operator may change on a host. Default has the flag's kind and may name host facts and
// flags declared before. Min and Max bound int and port (the number), size (bytes), duration (milliseconds), string (its
// length in bytes) and list (the number of its elements). Pattern describes a string, or each element
// of a list. A Secret has no default: its value lies in a file that the host names, and is shown nowhere but in the text
// of a template. RenamedFrom are names that the flag had before, which hosts may still use.
type Flag struct {
	Name        string    `json:"name"`
	Type        FlagType  `json:"type"`
	Default     expr.Expr `json:"default,omitzero"`
	Secret      bool      `json:"secret,omitempty"`
	Help        string    `json:"help,omitempty"`
	Unit        string    `json:"unit,omitempty"`   // of an int, for readers
	Values      []string  `json:"values,omitempty"` // of an enum
	Min         *int64    `json:"min,omitempty"`
	Max         *int64    `json:"max,omitempty"`
	Pattern     string    `json:"pattern,omitempty"`
	Deprecated  string    `json:"deprecated,omitempty"` // why, and what to set instead
	RenamedFrom []string  `json:"renamed_from,omitempty"`
	Apply       Apply     `json:"apply"`
}

// Apply is what a live change of a flag does to a service that uses it. Signal is set for the action signal alone, a
// name without SIG.
type Apply struct {
	Action ApplyAction `json:"action"`
	Signal string      `json:"signal,omitempty"`
}

// ApplyAction is one of the three things that a change can do.
type ApplyAction string

// Restart is the default. ApplyNone leaves the daemon alone until its next start.
const (
	ApplyRestart ApplyAction = "restart"
	ApplySignal  ApplyAction = "signal"
	ApplyNone    ApplyAction = "none"
)

// Account is a system user that the package creates, or one that is Existing on hosts. Group is its primary group, created
// with it; an existing one may leave it to the host. Groups are further ones of the host's, for the daemon and its run
// steps. Home is a path.
type Account struct {
	Name     string    `json:"name"`
	Group    string    `json:"group"`
	Groups   []string  `json:"groups,omitempty"`
	Home     expr.Expr `json:"home,omitzero"`
	Existing bool      `json:"existing,omitempty"`
}

// Package is what gets onto hosts. Rollback counts how often the same content was republished to go back to it.
type Package struct {
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Release     int       `json:"release"`
	Rollback    int       `json:"rollback,omitempty"`
	License     string    `json:"license,omitempty"`
	Maintainer  string    `json:"maintainer"`
	Summary     string    `json:"summary"`
	Description string    `json:"description,omitempty"`
	Homepage    string    `json:"homepage,omitempty"`
	Style       string    `json:"style"`   // full, staging or bare
	Runtime     string    `json:"runtime"` // standalone or recipe
	Build       []Run     `json:"build,omitempty"`
	Contents    []Content `json:"contents,omitempty"`
	Depends     []string  `json:"depends,omitempty"`
}

// The styles of a package. Installing a full one starts its services; a staging one holds them until an admin releases
// them; a bare one brings its contents alone.
const (
	StyleFull    = "full"
	StyleStaging = "staging"
	StyleBare    = "bare"
)

// The runtimes of a package. Hosts of a standalone one need nothing of ours: sh launches and asks. The services of the other
// are supervised by recipe itself, on which the package depends.
const (
	RuntimeStandalone = "standalone"
	RuntimeRecipe     = "recipe"
)

// Supervised reports whether installing the package has recipe itself supervise its services.
func (p *Plan) Supervised() bool {
	return p.Package != nil && p.Package.Runtime == RuntimeRecipe && p.Package.Style != StyleBare && len(p.Services)+len(p.Tasks) > 0
}

// ContentKind is what a content makes on a host.
type ContentKind string

// A config is kept as edited when the package is upgraded. A tree is all that lies below a folder of the recipe.
const (
	ContentFile      ContentKind = "file"
	ContentConfig    ContentKind = "config"
	ContentTree      ContentKind = "tree"
	ContentDirectory ContentKind = "directory"
	ContentSymlink   ContentKind = "symlink"
)

// Content is one thing of a package. Source is relative to the recipe's folder, Path is where it lies on a host. A tree
// has root's files, with Mode or, where that is zero, 0755 for those that somebody may execute and 0644 for others;
// Exclude are shell patterns, those with a slash for the path in the tree, others for the last element of one. What is in
// it is found when the package is built, and is not part of the plan. Target is where a link leads: a path of the host
// or, without a slash in front, one relative to the link's folder.
type Content struct {
	Kind    ContentKind `json:"kind"`
	Source  string      `json:"source,omitempty"`
	Path    string      `json:"path"`
	Target  string      `json:"target,omitempty"`
	Exclude []string    `json:"exclude,omitempty"`
	Mode    Mode        `json:"mode,omitzero"`
	Owner   string      `json:"owner,omitempty"`
	Group   string      `json:"group,omitempty"`
}

// Service is one daemon. User names an account of the plan; empty means whoever starts it. WorkDir is where it starts, /
// unless set. Umask is that of the daemon and of its run steps. Terminal gives it one of its own, which operators attach to.
type Service struct {
	Name     string      `json:"name"`
	User     string      `json:"user,omitempty"`
	Command  []expr.Expr `json:"command"`
	Env      []Variable  `json:"env,omitempty"` // by name
	WorkDir  expr.Expr   `json:"workdir,omitzero"`
	Umask    *Mode       `json:"umask,omitempty"` // 022 unless given
	Terminal bool        `json:"terminal,omitempty"`
	Prepare  []Step      `json:"prepare,omitempty"`
	Listen   []Socket    `json:"listen,omitempty"` // in the order of their descriptors
	Probes   []Probe     `json:"probes,omitempty"`
	Restart  Restart     `json:"restart"`
	Stop     Stop        `json:"stop"`
	Limits   Limits      `json:"limits,omitzero"`
	Logs     Logs        `json:"logs"`
	After    []string    `json:"after,omitempty"` // services of the plan
}

// Variable is one of the daemon's environment.
type Variable struct {
	Name  string    `json:"name"`
	Value expr.Expr `json:"value"`
}

// Step is one prepare step: exactly one field is set.
type Step struct {
	Directory        *Directory        `json:"directory,omitempty"`
	Template         *Template         `json:"template,omitempty"`
	Run              *Run              `json:"run,omitempty"`
	Copy             *Copy             `json:"copy,omitempty"`
	Symlink          *Symlink          `json:"symlink,omitempty"`
	WaitFor          *WaitFor          `json:"wait_for,omitempty"`
	RequireFile      *RequireFile      `json:"require_file,omitempty"`
	RequireFreeSpace *RequireFreeSpace `json:"require_free_space,omitempty"`
	RequireMemory    *RequireMemory    `json:"require_memory,omitempty"`
	RequireMount     *RequireMount     `json:"require_mount,omitempty"`
	RequirePortFree  *RequirePortFree  `json:"require_port_free,omitempty"`
	RequireWritable  *RequireWritable  `json:"require_writable,omitempty"`
}

// Directory makes a directory with its parents, and sets owner, group and mode where they differ. It never removes
// anything and never follows a link in its last element.
type Directory struct {
	Path  expr.Expr `json:"path"`
	Owner string    `json:"owner,omitempty"`
	Group string    `json:"group,omitempty"`
	Mode  Mode      `json:"mode"`
}

// Template writes a text to a file, by rename, where the bytes or the mode differ. The file's folder is made as well.
type Template struct {
	Path  expr.Expr `json:"path"`
	Text  expr.Expr `json:"text"`
	Owner string    `json:"owner,omitempty"`
	Group string    `json:"group,omitempty"`
	Mode  Mode      `json:"mode"`
}

// Run runs a command as the service's user and requires exit 0 within Timeout; its whole tree is killed at the end of
// it. In a package's build every argument is constant and the command runs in the recipe's folder.
type Run struct {
	Command []expr.Expr `json:"command"`
	Timeout Duration    `json:"timeout"`
}

// Copy writes the bytes of the file at Source, which lies on the host, to Path as a Template writes its text. With Once
// a file that is at Path already is kept as it is, and Source need not be there.
type Copy struct {
	Source expr.Expr `json:"source"`
	Path   expr.Expr `json:"path"`
	Owner  string    `json:"owner,omitempty"`
	Group  string    `json:"group,omitempty"`
	Mode   Mode      `json:"mode"`
	Once   bool      `json:"once,omitempty"`
}

// Symlink makes a symbolic link, or repoints the one at Path, by rename. Anything else at Path refuses the start. Target
// is a path of the host, or a text that is relative to the folder of Path.
type Symlink struct {
	Path   expr.Expr `json:"path"`
	Target expr.Expr `json:"target"`
}

// WaitFor waits for what others bring: a TCP port of Host or a unix socket that takes connections, or a path that is
// there. Exactly one of Port, Socket and Path is set. After Timeout the start is refused.
type WaitFor struct {
	Host    string    `json:"host,omitempty"` // of Port; empty is the loopback address
	Port    expr.Expr `json:"port,omitzero"`
	Socket  expr.Expr `json:"socket,omitzero"`
	Path    expr.Expr `json:"path,omitzero"`
	Timeout Duration  `json:"timeout"`
}

// RequireFile refuses a start unless a regular file is there that the service's user may read and, where Executable
// is set, execute.
type RequireFile struct {
	Path       expr.Expr `json:"path"`
	Executable bool      `json:"executable,omitempty"`
}

// RequireFreeSpace refuses a start unless an unprivileged writer has Size left on the file system of Path, or of its
// nearest parent that exists.
type RequireFreeSpace struct {
	Path expr.Expr `json:"path"`
	Size expr.Expr `json:"size"`
}

// RequireMemory refuses a start unless the host has Size bytes that processes can be given without swapping: MemAvailable
// of /proc/meminfo.
type RequireMemory struct {
	Size expr.Expr `json:"size"`
}

// RequireMount refuses a start unless Path, its links resolved, is where something is mounted.
type RequireMount struct {
	Path expr.Expr `json:"path"`
}

// RequireWritable refuses a start unless the service's user may write to the file, or make files in the directory.
type RequireWritable struct {
	Path expr.Expr `json:"path"`
}

// RequirePortFree refuses a start while some process listens on the TCP port, on any address.
type RequirePortFree struct {
	Port expr.Expr `json:"port"`
}

// Restart is how often a daemon that dies is started again. The first restart after a stable run comes at once; from
// the second quick death on Delay, doubled up to Cap, each spread by JitterPermille thousandths either way.
type Restart struct {
	Delay          Duration `json:"delay"`
	Cap            Duration `json:"cap"`
	JitterPermille int      `json:"jitter_permille"`
	StableAfter    Duration `json:"stable_after"`
}

// Stop is how a daemon is asked to end; after Grace its whole tree is killed. Signal is a name without SIG.
type Stop struct {
	Signal string   `json:"signal"`
	Grace  Duration `json:"grace"`
}

// Logs say how a service's output is kept: Keep files besides the one being written, each up to Size and, where MaxAge is
// set, begun no longer than that ago when it is written to. Compress has gzip take the older ones. Rate is how many lines a
// second are kept on average, after Burst at once; 0 is all. Forward is where they go as well.
type Logs struct {
	Size       Size      `json:"size"`
	Keep       int       `json:"keep"`
	MaxAge     Duration  `json:"max_age,omitempty"`
	Compress   bool      `json:"compress,omitempty"`
	Timestamps bool      `json:"timestamps,omitempty"`
	Format     LogFormat `json:"format,omitempty"`
	Rate       int       `json:"rate,omitempty"`
	Burst      int       `json:"burst,omitempty"`

	Forward LogForward `json:"forward,omitempty"`
}

// LogFormat is what a line of a log file is.
type LogFormat string

// LogText is a line as it was written. LogJSON is an object of time, service and text.
const (
	LogText LogFormat = ""
	LogJSON LogFormat = "json"
)

// LogForward is where lines go besides the file. ForwardSyslog and ForwardRFC5424 are /dev/log, ForwardJournald the socket of
// systemd's journal.
type LogForward string

// What hosts understand: RFC 3164 every syslog daemon, RFC 5424 fewer.
const (
	ForwardNone     LogForward = ""
	ForwardSyslog   LogForward = "syslog"
	ForwardRFC5424  LogForward = "rfc5424"
	ForwardJournald LogForward = "journald"
)

// LogForwards lists where lines can go.
func LogForwards() []string {
	return []string{string(ForwardSyslog), string(ForwardRFC5424), string(ForwardJournald)}
}

// Account returns the account of that name, or nil.
func (p *Plan) Account(name string) *Account {
	for i := range p.Accounts {
		if p.Accounts[i].Name == name {
			return &p.Accounts[i]
		}
	}
	return nil
}

// Flag returns the flag of that name, or nil.
func (p *Plan) Flag(name string) *Flag {
	for i := range p.Flags {
		if p.Flags[i].Name == name {
			return &p.Flags[i]
		}
	}
	return nil
}

// FlagOf returns the flag that has or had that name, or nil.
func (p *Plan) FlagOf(name string) *Flag {
	for i := range p.Flags {
		if p.Flags[i].Name == name || slices.Contains(p.Flags[i].RenamedFrom, name) {
			return &p.Flags[i]
		}
	}
	return nil
}

// Service returns the service of that name, or nil.
func (p *Plan) Service(name string) *Service {
	for i := range p.Services {
		if p.Services[i].Name == name {
			return &p.Services[i]
		}
	}
	return nil
}

// FlagKind gives the kind of a flag's value, for expr.Expr.Kind.
func (p *Plan) FlagKind(name string) (expr.Kind, bool) {
	if f := p.Flag(name); f != nil {
		k, ok := f.Type.Kind()
		return k, ok
	}
	return "", false
}

// FlagsPath is the flags file of the plan on a host, without the root of a run.
func (p *Plan) FlagsPath() string { return "/etc/" + p.Name + "/flags" }

// Defaults of what a recipe leaves out. Restart's are the design's: a burst of quick deaths reaches the cap after nine.
func DefaultRestart() Restart {
	return Restart{Delay: 100, Cap: 30_000, JitterPermille: 200, StableAfter: 60_000}
}

// DefaultStop is TERM and ten seconds.
func DefaultStop() Stop { return Stop{Signal: "TERM", Grace: 10_000} }

// DefaultLogs keep at most 384 MiB a service.
func DefaultLogs() Logs { return Logs{Size: 64 << 20, Keep: 5} }
