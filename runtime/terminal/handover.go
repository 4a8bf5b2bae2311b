package terminal

import (
	"fmt"
	"os"
	"slices"

	"recipe/runtime/handover"
)

// Handed is what a Terminal leaves for that of the program that this process becomes by exec. What the daemon writes
// meanwhile waits in the kernel. Who is attached comes again, and is shown the ring.
type Handed struct {
	Master int         `json:"master,omitempty"` // descriptors of both sides; 0 between incarnations
	Slave  int         `json:"slave,omitempty"`
	Size   Size        `json:"size"`
	Ring   []byte      `json:"ring,omitempty"`
	Modes  []byte      `json:"modes,omitempty"` // as sequences that set them
	Plain  HandedPlain `json:"plain,omitzero"`
}

// HandedPlain has the fields of Plain.
type HandedPlain struct {
	State      byte   `json:"state,omitempty"`
	Parameters []byte `json:"parameters,omitempty"`
	Line       bool   `json:"line,omitempty"`
	Back       bool   `json:"back,omitempty"`
	Rune       []byte `json:"rune,omitempty"`
}

// Descriptors are all that Handed speaks of.
func (h Handed) Descriptors() []int {
	if h.Master == 0 {
		return nil
	}
	return []int{h.Master, h.Slave}
}

// Hand shows nothing any more to who is attached, and whose connection the exec ends. What captures the terminal has stopped already, and left in it what was not read.
func (t *Terminal) Hand() (Handed, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.viewers = nil
	h := Handed{Size: t.size, Ring: slices.Clone(t.ring), Modes: t.modes.Set()}
	if t.master == nil {
		return h, nil
	}
	p := t.plain
	h.Plain = HandedPlain{State: byte(p.sequence.state), Parameters: p.sequence.parameters, Line: p.line, Back: p.back, Rune: p.rune}
	var err error
	if h.Master, err = handover.Number(t.master); err == nil {
		h.Slave, err = handover.Number(t.slave)
	}
	return h, err
}

// Resume goes on with what was handed on.
func Resume(capture Capture, h Handed) (*Terminal, error) {
	t := New(capture)
	t.size, t.ring = h.Size, h.Ring
	t.modes.Take(h.Modes)
	if h.Master == 0 {
		return t, nil
	}
	p := h.Plain
	t.plain = &Plain{sequence: sequence{state: state(p.State), parameters: p.Parameters}, line: p.Line, back: p.Back, rune: p.Rune}
	t.master, t.slave = os.NewFile(uintptr(h.Master), "terminal"), os.NewFile(uintptr(h.Slave), "terminal")
	var err error
	if t.stop, err = capture(h.Master, t.taker(t.plain)); err != nil {
		return nil, fmt.Errorf("cannot go on with a terminal: %w", err)
	}
	return t, nil
}
