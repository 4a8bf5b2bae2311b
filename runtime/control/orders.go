package control

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// orders remembers the answers to commands by the id that the client gave each, so that a client whose connection broke
// can ask again: it gets the answer to the first, and the command is not carried out twice. Their number and size are
// bounded; the oldest that is answered is forgotten first. With a file (memory.go) that holds over supervisors as well.
type orders struct {
	bounds bounds
	served context.Context // until it ends commands go on without a client
	memory *memory         // nil: none

	mu   sync.Mutex
	line []*order // the oldest first
}

// carry carries a command out. taken is zero, or when an earlier supervisor took it that ended before it answered.
type carry func(ctx context.Context, taken time.Time) (any, error)

// order is one command. answer and err are set once done is closed.
type order struct {
	key, what string
	taken     time.Time // by an earlier supervisor; zero for ours
	begun     bool      // by us
	done      chan struct{}
	answer    any
	size      int // of the answer, in bytes of JSON; set with it
	err       error
	given     given

	waiting int // clients
	abandon func()
	late    *time.Timer // while nobody waits
}

// run carries a command out, or waits with whoever sent it first. key names it, what is all that it asks for. When ctx
// ends the command goes on, and for a while somebody can come back to it.
func (o *orders) run(ctx context.Context, key, what string, do carry) (any, error) {
	if key == "" {
		return do(ctx, time.Time{})
	}
	one, err := o.join(key, what, do)
	if err != nil {
		return nil, err
	}
	defer o.leave(one)
	select {
	case <-one.done:
		return one.answer, one.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (o *orders) join(key, what string, do carry) (*order, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.line, func(one *order) bool { return one.key == key })
	if i < 0 {
		if !o.room() {
			return nil, &Error{Code: Busy, Message: "too many commands wait for their effect", Hint: "`recipe status` shows what is held up"}
		}
		i = len(o.line)
		o.line = append(o.line, &order{key: key, what: what, done: make(chan struct{})})
		o.memory.note(record{Key: key, What: what, Time: time.Now()})
	}
	one := o.line[i]
	if one.what != what {
		return nil, &Error{Code: BadRequest, Message: "another command was given this id", Hint: "give each command an id of its own"}
	}
	one.waiting++
	if one.late != nil {
		one.late.Stop()
		one.late = nil
	}
	if !one.begun {
		o.begin(one, do)
	}
	return one, nil
}

// begin carries an order out. What the end of the supervisor cut short is not answered, so that the next one sees to it.
func (o *orders) begin(one *order, do carry) {
	ctx, cancel := context.WithCancel(o.served)
	one.begun, one.abandon = true, cancel
	go func() {
		defer cancel()
		one.answer, one.err = do(withGiven(ctx, &one.given), one.taken)
		r := answered(one)
		one.size = len(r.Answer)
		if o.served.Err() == nil {
			o.memory.note(r)
		}
		close(one.done)
		o.shed(one)
	}()
}

// shed forgets the oldest answers, but for the last one, where all together are too large.
func (o *orders) shed(last *order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := 0
	for _, one := range o.line {
		if one.answered() {
			size += one.size
		}
	}
	o.line = slices.DeleteFunc(o.line, func(one *order) bool {
		if size <= o.bounds.answers || one == last || !one.answered() || one.size == 0 {
			return false
		}
		size -= one.size
		return true
	})
}

// HandedOrder is a command with an id that was ordered, and not answered.
type HandedOrder struct {
	Key  string `json:"key"`
	What string `json:"what"`
}

func (o *orders) ordered() (all []HandedOrder) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.line {
		if !one.answered() && one.given.was() {
			all = append(all, HandedOrder{one.key, one.what})
		}
	}
	return all
}

// resumes is told what a predecessor had ordered when it became this program. Of whatever else it took it had ordered nothing.
func (o *orders) resumes(ordered []HandedOrder) {
	for _, one := range o.line {
		one.taken = time.Time{}
	}
	for _, h := range ordered {
		i := slices.IndexFunc(o.line, func(one *order) bool { return one.key == h.Key })
		if i < 0 { // the disk did not take it
			i = len(o.line)
			o.line = append(o.line, &order{key: h.Key, what: h.What, done: make(chan struct{})})
		}
		o.line[i].given.before = true
	}
}

// room forgets the oldest that is answered, or that nobody has asked for again, where there are too many. The caller
// holds mu.
func (o *orders) room() bool {
	if len(o.line) < o.bounds.orders {
		return true
	}
	i := slices.IndexFunc(o.line, func(one *order) bool { return !one.begun || one.answered() })
	if i < 0 {
		return false
	}
	o.line = slices.Delete(o.line, i, i+1)
	return true
}

func (one *order) answered() bool {
	select {
	case <-one.done:
		return true
	default:
		return false
	}
}

// leave lets a command that nobody waits for be waited for again, for a while.
func (o *orders) leave(one *order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one.waiting--
	if one.waiting == 0 && !one.answered() {
		one.late = time.AfterFunc(o.bounds.again, one.abandon)
	}
}

var errNoID = errors.New("an id is 1 to 64 letters, digits and hyphens")

// checkID judges the id of a command; none is none.
func checkID(id string) error {
	ok := len(id) <= 64 && !slices.ContainsFunc([]byte(id), func(b byte) bool {
		return b != '-' && (b < '0' || b > '9') && (b < 'a' || b > 'z') && (b < 'A' || b > 'Z')
	})
	if !ok {
		return errNoID
	}
	return nil
}
