package control

import (
	"encoding/binary"
	"fmt"
	"io"
)

// FrameKind says what a frame of an attachment holds.
type FrameKind byte

// The kinds. A client sends Typed and Resized, a supervisor the others.
const (
	Written FrameKind = 'w' // by the daemon
	Noted   FrameKind = 'n' // by the supervisor: a line of text
	Ended   FrameKind = 'e' // nothing comes after this one
	Typed   FrameKind = 't' // for the daemon
	Resized FrameKind = 's' // columns and rows, two bytes each, the greater first
)

// Frame is one message of an attachment: on the wire its kind in one byte, the length of its data in two, the greater first,
// and the data.
type Frame struct {
	Kind FrameKind
	Data []byte
}

// MostFrame is how many bytes of data a frame takes.
const MostFrame = 32 << 10

const frameHead = 3

// AppendFrame appends a frame. Data that is longer becomes several.
func AppendFrame(to []byte, kind FrameKind, data []byte) []byte {
	for {
		part := data[:min(len(data), MostFrame)]
		to = append(to, byte(kind))
		to = binary.BigEndian.AppendUint16(to, uint16(len(part)))
		to = append(to, part...)
		if data = data[len(part):]; len(data) == 0 {
			return to
		}
	}
}

// ReadFrame reads one, whose data is valid until buffer is used again; buffer has room for MostFrame bytes. The error is io.EOF where nothing more comes, and io.ErrUnexpectedEOF within a frame.
func ReadFrame(r io.Reader, buffer []byte) (Frame, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{Kind: FrameKind(head[0])}
	size := int(binary.BigEndian.Uint16(head[1:]))
	switch f.Kind {
	case Written, Noted, Ended, Typed, Resized:
	default:
		return Frame{}, fmt.Errorf("cannot read what the other side sent: there is no frame of the kind %q", head[0])
	}
	if size > MostFrame || f.Kind == Resized && size != 4 {
		return Frame{}, fmt.Errorf("cannot read what the other side sent: a frame of the kind %q has %d bytes", head[0], size)
	}
	f.Data = buffer[:size]
	if _, err := io.ReadFull(r, f.Data); err == io.EOF {
		return Frame{}, io.ErrUnexpectedEOF
	} else if err != nil {
		return Frame{}, err
	}
	return f, nil
}

// size is what a Resized frame says.
func (f Frame) size() (columns, rows int) {
	return int(binary.BigEndian.Uint16(f.Data)), int(binary.BigEndian.Uint16(f.Data[2:]))
}

func sizeData(columns, rows int) []byte {
	within := func(n int) uint16 { return uint16(max(0, min(n, 1<<16-1))) }
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, within(columns)), within(rows))
}
