package logs

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	smallChunk = 16 << 10  // bytes, for a service that says a little
	largeChunk = 256 << 10 // for one that has much to say: what its pipe holds then
	holdAtMost = 64 << 20  // bytes, of all logs of a collector
)

// chunk is a piece of the stream.
type chunk struct {
	n      int
	read   time.Time // when its start was
	shaped bool      // as the file has it
	mapped bool
	space  []byte
}

func (c *chunk) bytes() []byte { return c.space[:c.n] }

func (c *chunk) room() int { return len(c.space) - c.n }

// memory is where the chunks of all logs of a collector come from and go back to. They are mapped, so that what was
// needed for a burst is given back to the host, and does not wait for a garbage collection, which an idle process has none of.
type memory struct {
	mu    sync.Mutex
	small freeList
	large freeList
	held  int // bytes of chunks that are in use
}

// freeList is of chunks of one size. So many of them were not needed since the last trim.
type freeList struct {
	chunks   []*chunk
	unneeded int
}

// get returns an empty chunk of at least size bytes.
func (m *memory) get(size int) *chunk {
	m.mu.Lock()
	defer m.mu.Unlock()
	free := m.free(size)
	size = smallChunk
	if free == &m.large {
		size = largeChunk
	}
	m.held += size
	n := len(free.chunks) - 1
	if n < 0 {
		return newChunk(size)
	}
	c := free.chunks[n]
	free.chunks = free.chunks[:n]
	free.unneeded = min(free.unneeded, n)
	return c
}

func (m *memory) free(size int) *freeList {
	if size > smallChunk {
		return &m.large
	}
	return &m.small
}

func newChunk(size int) *chunk {
	space, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil { // the host has a bound of mappings, which is not one of memory
		return &chunk{space: make([]byte, size)}
	}
	return &chunk{space: space, mapped: true}
}

// spare is how many chunks of each size are kept for the next one that is wanted while logs are busy.
const spare = 16

func (m *memory) put(c *chunk) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held -= len(c.space)
	free := m.free(len(c.space))
	if len(free.chunks) >= spare {
		unmap(c)
		return
	}
	c.n, c.shaped = 0, false
	free.chunks = append(free.chunks, c)
}

func unmap(c *chunk) {
	if c.mapped {
		_ = unix.Munmap(c.space) // fails for no mapping of ours
	}
}

// copy is a chunk with the same bytes.
func (m *memory) copy(c *chunk) *chunk {
	d := m.get(c.n)
	d.read = c.read
	d.n = copy(d.space, c.bytes())
	return d
}

// tight reports that all logs together hold what they may.
func (m *memory) tight() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held > holdAtMost
}

// trim gives back what nobody needed since it was last called.
func (m *memory) trim() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, free := range []*freeList{&m.small, &m.large} {
		for _, c := range free.chunks[:free.unneeded] {
			unmap(c)
		}
		free.chunks = slices.Delete(free.chunks, 0, free.unneeded)
		free.unneeded = len(free.chunks)
	}
}
