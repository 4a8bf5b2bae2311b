package logs

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	chunkSize  = 64 << 10              // bytes, what a pipe holds
	holdAtMost = 256 << 20 / chunkSize // chunks, of all logs of the process
)

// chunk is a piece of the stream.
type chunk struct {
	n     int
	read  time.Time // when its start was
	space [chunkSize]byte
}

func (c *chunk) bytes() []byte { return c.space[:c.n] }

func (c *chunk) clone() *chunk {
	d := pool.get()
	d.read = c.read
	d.n = copy(d.space[:], c.bytes())
	return d
}

// pool is where the chunks of all logs come from and go back to: an idle service holds none.
var pool = chunkPool{spare: &sync.Pool{New: func() any { return new(chunk) }}, held: new(atomic.Int64)}

type chunkPool struct {
	spare *sync.Pool
	held  *atomic.Int64
}

func (p chunkPool) get() *chunk {
	p.held.Add(1)
	c := p.spare.Get().(*chunk)
	c.n = 0
	return c
}

func (p chunkPool) put(c *chunk) {
	p.held.Add(-1)
	p.spare.Put(c)
}
