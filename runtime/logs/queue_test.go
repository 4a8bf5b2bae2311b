package logs

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A reader and a consumer of random haste: each line comes out whole or is counted in the place where it is missing.
func TestQueueAccountsForEveryLine(t *testing.T) {
	t.Parallel()
	dropped := int64(0)
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 1))
		m := &memory{}
		q := newQueue(m, nil, (2+random.IntN(6))*largeChunk, unable{})
		var stream, out bytes.Buffer
		lines := 0
		for ; stream.Len() < 8<<20; lines++ {
			stream.WriteString(line(lines))
		}
		haste := random.IntN(60)
		for stream.Len() > 0 {
			if random.IntN(100) < haste {
				takeInto(&q, &out)
				continue
			}
			c := m.get([]int{smallChunk, largeChunk}[random.IntN(2)])
			c.n, _ = stream.Read(c.space[:1+random.IntN(len(c.space))])
			q.offer(c, random.IntN(10) == 0)
		}
		for takeInto(&q, &out) {
		}
		accounted(t, out.String(), lines, "dropped: test")
		dropped += q.lost
	}
	if dropped == 0 {
		t.Error("nothing was ever dropped")
	}
}

func takeInto(q *queue, out *bytes.Buffer) bool {
	c := q.take()
	if c == nil {
		return false
	}
	out.Write(c.bytes())
	q.memory.put(c)
	return true
}

type unable struct{}

func (unable) deliver(*chunk) bool { return false }
func (unable) reason() string      { return "dropped: test" }
