package handover

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Format is the version of Paper. What the state in it may be is the matter of whoever writes it.
const Format = 1

// Paper is what a supervisor leaves for its successor.
type Paper struct {
	Format      int             `json:"format"`
	Version     string          `json:"version"`           // of the program that wrote it, for people
	PID         int             `json:"pid"`               // of the process
	Began       string          `json:"began"`             // when that was started, in the kernel's ticks
	Executable  string          `json:"executable"`        // absolute path of where the program is installed
	Arguments   []string        `json:"arguments"`         // of the process
	Ignored     []int           `json:"ignored,omitempty"` // signals that the process was told to ignore when it was started
	Descriptors []int           `json:"descriptors"`       // all that the state speaks of
	State       json.RawMessage `json:"state"`
}

const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE

// write puts the paper into memory, sealed.
func (p *Paper) write() (*os.File, error) {
	file, err := p.memory()
	if err != nil {
		return nil, fmt.Errorf("cannot write the state down: %w", err)
	}
	return file, nil
}

func (p *Paper) memory() (*os.File, error) {
	whole := *p
	whole.Format, whole.PID, whole.Began = Format, os.Getpid(), began()
	data, err := json.Marshal(whole)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("handover", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "handover")
	if _, err = file.Write(data); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func sealed(fd int) bool {
	have, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	return err == nil && have == seals
}

// mostPaper bounds what is read, in bytes. A service takes some kilobytes.
const mostPaper = 1 << 30

// read takes a descriptor that is a sealed paper, of the format that this program knows.
func read(fd int) (*Paper, error) {
	if !sealed(fd) {
		return nil, errors.New("it is no sealed file in memory")
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, err
	}
	if stat.Size > mostPaper {
		return nil, fmt.Errorf("it has %d bytes, more than %d", stat.Size, mostPaper)
	}
	data := make([]byte, stat.Size)
	for at := 0; at < len(data); {
		n, err := unix.Pread(fd, data[at:], int64(at))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return nil, io.ErrUnexpectedEOF
		}
		at += max(n, 0)
	}
	return parse(data)
}

func parse(data []byte) (*Paper, error) {
	var known struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &known); err != nil {
		return nil, err
	}
	if known.Format != Format {
		return nil, fmt.Errorf("its format is %d, this program reads %d", known.Format, Format)
	}
	var p Paper
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(p.Descriptors, func(fd int) bool { return fd < 0 }) {
		return nil, errors.New("it names a descriptor that cannot be one")
	}
	return &p, nil
}

// digest of JSON, whatever the order of its fields.
func digest(state []byte) (string, error) {
	var value any
	dec := json.NewDecoder(bytes.NewReader(state))
	dec.UseNumber()
	err := dec.Decode(&value)
	var data []byte
	if err == nil {
		data, err = json.Marshal(value)
	}
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// began tells this process from an earlier one of the same pid.
func began() string {
	text, _ := os.ReadFile("/proc/self/stat")
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const startTime = 19 // of what follows the name
	if len(fields) <= startTime {
		return ""
	}
	return string(fields[startTime])
}
