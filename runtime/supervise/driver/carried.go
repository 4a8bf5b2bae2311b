package driver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/control"
	"recipe/runtime/expr"
	"recipe/runtime/handover"
	"recipe/runtime/launch"
	"recipe/runtime/logs"
	"recipe/runtime/plan"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
	"recipe/runtime/terminal"
)

// carriedFormat is the version of carried. Fields are added with omitempty, so that a state that has none of them is still
// read by a program that does not know them; a field that is there and unknown is refused.
const carriedFormat = 1

// carried is a supervisor as it is handed to its successor. Plans and flags are there once, and named by their index; -1
// is none.
type carried struct {
	Format   int              `json:"format"`
	Name     string           `json:"name"`  // of the journal and the control socket
	Began    time.Time        `json:"began"` // of the supervisor
	Plans    []*plan.Plan     `json:"plans"`
	Envs     []*expr.Env      `json:"envs"`
	Folders  []carriedFolder  `json:"folders,omitempty"`
	Recipes  []carriedRecipe  `json:"recipes"`
	Services []carriedService `json:"services"`
	Host     process.Handed   `json:"host"`
	Control  control.Handed   `json:"control"`
	Roll     carriedRoll      `json:"roll,omitzero"`
	Failed   string           `json:"failed,omitempty"` // why another successor was not executed
	Ending   bool             `json:"ending,omitempty"` // it was asked to end

	digests []string // of the plans, as they are needed
}

type carriedFolder struct {
	Path  string `json:"path"`
	Which string `json:"which"`
	Said  string `json:"said,omitempty"`
}

type carriedRecipe struct {
	File    string            `json:"file"`
	Folder  string            `json:"folder,omitempty"` // the path of the folder that was given
	Gone    bool              `json:"gone,omitempty"`
	Heirs   []string          `json:"heirs,omitempty"`
	Plan    int               `json:"plan"`
	Env     int               `json:"env"`
	Fault   string            `json:"fault,omitempty"`
	Files   map[string]string `json:"files"` // what was last seen of each, as package watch tells it; "" for a change that was not taken
	Secrets []string          `json:"secrets,omitempty"`
	Warned  []string          `json:"warned,omitempty"`
	Denied  string            `json:"denied,omitempty"`
	Stale   bool              `json:"stale,omitempty"`
	Unused  bool              `json:"unused,omitempty"`
	Unread  bool              `json:"unread,omitempty"`
	Refused string            `json:"refused,omitempty"`
	Retry   bool              `json:"retry,omitempty"`
}

type carriedService struct {
	Name       string                 `json:"name"`
	At         int64                  `json:"at"` // when it was handed on, by CLOCK_MONOTONIC, in nanoseconds
	Definition carriedDefinition      `json:"definition"`
	Live       int                    `json:"live"` // the flags as the daemon knows them
	Machine    *supervise.Carried     `json:"machine,omitempty"`
	Task       *supervise.CarriedTask `json:"task,omitempty"` // in place of machine
	Runs       []control.Run          `json:"runs,omitempty"`
	Words      []string               `json:"words,omitempty"`
	Number     uint64                 `json:"number"`
	Since      time.Time              `json:"since"`
	Leaving    bool                   `json:"leaving,omitempty"`
	Tree       bool                   `json:"tree,omitempty"` // the host has an incarnation of it
	Owed       []string               `json:"owed,omitempty"` // signals to send once the templates are rewritten
	Sockets    []carriedSocket        `json:"sockets,omitempty"`
	Stalls     int                    `json:"stalls,omitempty"`
	Hearing    *carriedHearing        `json:"hearing,omitempty"`
	Terminal   *terminal.Handed       `json:"terminal,omitempty"`
	Log        *logs.Handover         `json:"log,omitempty"` // nil where it was closed
	Tally      *carriedTally          `json:"tally,omitempty"`

	definition *definition // that the indexes stand for, until there are some
	live       *expr.Env
}

// carriedRoll is how far a change has come; what is left of it is told by the services' definitions.
type carriedRoll struct {
	Failed  []string `json:"failed,omitempty"`  // who did not become ready, one a recipe
	Current string   `json:"current,omitempty"` // who is to, and knows it
	First   uint64   `json:"first,omitempty"`   // the number of its first incarnation with the change
}

type carriedDefinition struct {
	Plan  int    `json:"plan"`
	File  string `json:"file,omitempty"`
	Env   int    `json:"env"`
	Fault string `json:"fault,omitempty"`
}

type carriedSocket struct {
	launch.Socket
	Descriptor int    `json:"descriptor"`
	Device     uint64 `json:"device,omitempty"` // of a path: the file that we made
	Inode      uint64 `json:"inode,omitempty"`
}

// decodeCarried reads what a predecessor handed on, strictly: what is lost here would be lost to what runs.
func decodeCarried(data []byte) (*carried, error) {
	var c carried
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("something follows it")
	}
	if c.Format != carriedFormat {
		return nil, fmt.Errorf("its format is %d, this program reads %d", c.Format, carriedFormat)
	}
	return &c, c.check()
}

// check looks at every plan and every index, so that nothing of it can fail later.
func (c *carried) check() error {
	for i, p := range c.Plans {
		if p == nil || p.Format != plan.Format {
			return fmt.Errorf("a plan in it has another format than %d", plan.Format)
		}
		if problems := p.Validate(); len(problems) > 0 {
			return fmt.Errorf("plan %d: %v", i+1, problems[0])
		}
	}
	planAt := func(i int) bool { return i >= -1 && i < len(c.Plans) }
	envAt := func(i int) bool { return i >= -1 && i < len(c.Envs) }
	for _, r := range c.Recipes {
		if !planAt(r.Plan) || !envAt(r.Env) {
			return fmt.Errorf("recipe %s: its plan or its flags are not there", r.File)
		}
	}
	for _, s := range c.Services {
		d := s.Definition
		if d.Plan < 0 || !planAt(d.Plan) || !envAt(d.Env) || !envAt(s.Live) || c.Plans[d.Plan].Launch(s.Name) == nil {
			return fmt.Errorf("service %s: its plan or its flags are not there", s.Name)
		}
		if isTask := c.Plans[d.Plan].Task(s.Name) != nil; isTask != (s.Task != nil) || isTask == (s.Machine != nil) {
			return fmt.Errorf("service %s: its machine is not there", s.Name)
		}
	}
	return nil
}

// Again reads a state as a successor does, and writes it: what a program shows to prove that it can take over.
func Again(state []byte) ([]byte, error) {
	c, err := decodeCarried(state)
	if err != nil {
		return nil, err
	}
	return json.Marshal(c)
}

// descriptors are all that are handed on.
func (c *carried) descriptors() []int {
	all := append(c.Host.Descriptors(), c.Control.Descriptors()...)
	for _, s := range c.Services {
		if s.Log != nil {
			all = append(all, s.Log.Read, s.Log.Write)
		}
		if s.Hearing != nil {
			all = append(all, s.Hearing.descriptors()...)
		}
		if s.Terminal != nil {
			all = append(all, s.Terminal.Descriptors()...)
		}
		for _, socket := range s.Sockets {
			all = append(all, socket.Descriptor)
		}
	}
	return all
}

// indexed gives plans and flags their indexes.
type indexed struct {
	*carried
	plans map[*plan.Plan]int
	envs  map[*expr.Env]int
}

func index[T any](known map[*T]int, list *[]*T, one *T) int {
	if one == nil {
		return -1
	}
	at, ok := known[one]
	if !ok {
		at = len(*list)
		known[one] = at
		*list = append(*list, one)
	}
	return at
}

func (x *indexed) plan(p *plan.Plan) int { return index(x.plans, &x.Plans, p) }
func (x *indexed) env(e *expr.Env) int   { return index(x.envs, &x.Envs, e) }

func (x *indexed) definition(d *definition) carriedDefinition {
	return carriedDefinition{Plan: x.plan(d.plan), File: d.file, Env: x.env(d.env), Fault: d.fault}
}

// add takes what a service gave, and turns its pointers into indexes.
func (x *indexed) add(s carriedService) {
	s.Definition, s.Live = x.definition(s.definition), x.env(s.live)
	x.Services = append(x.Services, s)
}

// at is the other way round.
func at[T any](list []*T, i int) *T {
	if i < 0 {
		return nil
	}
	return list[i]
}

func (c *carried) definition(name string, d carriedDefinition) (*definition, error) {
	p := c.Plans[d.Plan]
	if c.digests == nil {
		c.digests = make([]string, len(c.Plans))
	}
	if c.digests[d.Plan] == "" { // once for all its services
		digest, err := p.Digest()
		if err != nil {
			return nil, err
		}
		c.digests[d.Plan] = digest
	}
	return &definition{plan: p, spec: p.Launch(name), task: p.Task(name), digest: c.digests[d.Plan], file: d.File, env: at(c.Envs, d.Env), fault: d.Fault}, nil
}

func (s sockets) carry() ([]carriedSocket, error) {
	var all []carriedSocket
	for i := range s {
		number, err := handover.Number(s[i].file)
		if err != nil {
			return nil, err
		}
		all = append(all, carriedSocket{Socket: s[i].Socket, Descriptor: number, Device: uint64(s[i].made.Dev), Inode: s[i].made.Ino})
	}
	return all, nil
}

func openSockets(all []carriedSocket) sockets {
	var s sockets
	for _, c := range all {
		o := openSocket{Socket: c.Socket, file: os.NewFile(uintptr(c.Descriptor), c.Name)}
		o.made.Dev, o.made.Ino = c.Device, c.Inode
		s = append(s, o)
	}
	return s
}

// then is the time of this process's clock at which monotonic was at.
func then(at int64) time.Time { return time.Now().Add(time.Duration(at - monotonic())) }

// monotonic is CLOCK_MONOTONIC, which goes on over an exec, and by which Go counts times of one process.
func monotonic() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}
