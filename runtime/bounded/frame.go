package bounded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// What a frame is. A frame is its kind, a length of four bytes, the high one first, and that many bytes.
const (
	frameTerms   = 't' // parent: the limits, as JSON; once, before all others
	frameRequest = 'r' // parent: the name of the kind of work, a newline, the request
	frameAsk     = 'q' // child: what it asks for on the way: a name, a newline, the question
	frameReply   = 'p' // parent: the answer to that
	frameAnswer  = 'a' // child: the processor time that it has used in all, eight bytes of nanoseconds; the answer
	frameFault   = 'f' // child: why there is no answer, as text; the child lives on
)

// mostFrame bounds what a child takes from its parent, in bytes.
const mostFrame = 128 << 20

var errTooLarge = errors.New("the frame is too large")

func writeFrame(w io.Writer, kind byte, parts ...[]byte) error {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if size > mostFrame {
		return errTooLarge
	}
	frame := make([]byte, 5, 5+size)
	frame[0] = kind
	binary.BigEndian.PutUint32(frame[1:], uint32(size))
	for _, p := range parts {
		frame = append(frame, p...)
	}
	_, err := w.Write(frame)
	return err
}

// readFrame reads one of at most that many bytes. io.EOF is an end between frames.
func readFrame(r io.Reader, most int) (kind byte, data []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if uint64(size) > uint64(most) {
		return head[0], nil, fmt.Errorf("%w: %d bytes", errTooLarge, size)
	}
	data = make([]byte, size)
	_, err = io.ReadFull(r, data)
	return head[0], data, err
}
