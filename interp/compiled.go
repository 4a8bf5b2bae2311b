package interp

import (
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Compiled keeps what modules were compiled to, for the evaluations of one process that load the same text by the same
// name. It keeps no values: each evaluation runs a module of its own. It may be used by several evaluations at once.
type Compiled struct {
	mu       sync.Mutex
	programs map[compiling]compiled
	size     int // of the texts, in bytes
}

// mostCompiled bounds the texts whose programs are kept, in bytes; trees and programs take some thirty times as much.
const mostCompiled = 1 << 20

type compiling struct{ name, text string }

// compiled is a module as it is run. Neither tree nor program change any more.
type compiled struct {
	file    *syntax.File
	program *starlark.Program
}

func (c *Compiled) find(key compiling) (compiled, bool) {
	if c == nil {
		return compiled{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.programs[key]
	return found, ok
}

// keep begins anew when it is full.
func (c *Compiled) keep(key compiling, made compiled) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size+len(key.text) > mostCompiled || c.programs == nil {
		c.size, c.programs = 0, map[compiling]compiled{}
	}
	c.size += len(key.text)
	c.programs[key] = made
}
