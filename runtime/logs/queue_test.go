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
		q := newQueue(2+random.IntN(6), nil, func() string { return "dropped: test" })
		var stream, out bytes.Buffer
		lines := 0
		for ; stream.Len() < 4<<20; lines++ {
			stream.WriteString(line(lines))
		}
		haste := random.IntN(60)
		for stream.Len() > 0 {
			if random.IntN(100) < haste {
				takeInto(&q, &out)
				continue
			}
			c := pool.get()
			c.n, _ = stream.Read(c.space[:1+random.IntN(chunkSize)])
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
	pool.put(c)
	return true
}
