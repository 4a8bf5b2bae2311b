package driver

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"recipe/runtime/expr"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// A supervisor that is killed leaves its daemons to the next one where its init keeps descriptors (package systemd): those
// that a daemon would miss, and a record of it in memory, which is written over when what it tells changes and erased
// when the daemon is being ended. What the next one does with them is in adopt.go. The init keeps, of each service:
//
//	record/SERVICE    the record
//	log/SERVICE       the reading end of the pipe for its output
//	notify/SERVICE    the socket through which it is heard
//	socket/SERVICE/N  those that it is handed
//
// A service with a terminal is not kept, nor one of which a descriptor of readiness is still waited for.

// record is what the next supervisor has to know of a daemon.
type record struct {
	Format  int                `json:"format"`
	Launch  string             `json:"launch"`           // digest of what it was started with
	Probes  string             `json:"probes,omitempty"` // digest of those that the machine counts the answers of
	Tree    process.HandedTree `json:"tree"`
	Live    *expr.Env          `json:"live"` // the flags as it knows them
	Service carriedService     `json:"service"`
}

// keeping is what the init keeps of a service. It belongs to the service's goroutine.
type keeping struct {
	memory *os.File          // of the record; nil before the first
	told   told              // what is in it; the zero value where it is erased
	files  map[string]uint64 // inodes of what is kept, by name
}

// told is what makes a record another one.
type told struct {
	number         uint64
	healthy, ever  bool
	definition     *definition
	live           *expr.Env
	ready, came    bool
	leaving        bool
	lines, sockets int
	status         string
}

// remember has the record say what holds now.
func (sv *service) remember() {
	if !sv.sup.options.Init.Stores() || sv.given {
		return
	}
	now, ok := sv.tellable()
	switch {
	case !ok:
		sv.unremember()
	case now != sv.keeping.told:
		sv.keeping.told = now
		if err := sv.keep(); err != nil {
			sv.unremember()
			sv.sup.decide(sv.name, "keep", err.Error()+"; should the supervisor be killed, this daemon is ended and started anew")
			sv.keeping.told = now // it is not tried again before something changes
		}
	}
}

func (sv *service) tellable() (now told, ok bool) {
	m := &sv.machine
	if m.State != supervise.Running || sv.incarnation == nil || sv.live == nil || sv.leaving.Load() || len(sv.owed) > 0 || sv.screen.Load() != nil {
		return now, false
	}
	now = told{number: sv.number, healthy: m.Healthy, ever: m.EverHealthy, definition: sv.definition, live: sv.live, sockets: len(sv.sockets)}
	if h := sv.hearing; h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		now.ready, now.came, now.leaving, now.lines, now.status = h.ready, h.pipe, h.leaving, len(h.lines), h.status
		if h.waitsForLine() && !h.pipe {
			return now, false
		}
	}
	return now, true
}

// unremember erases the record: whoever reads it adopts nothing.
func (sv *service) unremember() {
	if sv.keeping.told != (told{}) && sv.keeping.memory != nil {
		_, _ = sv.keeping.memory.WriteAt(make([]byte, recordHead), 0)
	}
	sv.keeping.told = told{}
}

// forget has the init close what it keeps of a service that is given up.
func (sv *service) forget() {
	for name := range sv.keeping.files {
		_ = sv.sup.options.Init.Forget(name)
	}
	if sv.keeping.memory != nil {
		sv.keeping.memory.Close()
	}
	sv.keeping = keeping{}
}

func (sv *service) keep() error {
	tree, ok := sv.incarnation.Known()
	if !ok {
		return fmt.Errorf("no cgroup holds process %d together with what it starts", sv.incarnation.PID())
	}
	launch, err := sv.definition.spec.LaunchDigest(sv.definition.plan)
	if err != nil {
		return err
	}
	probes, err := sv.definition.spec.ProbesDigest()
	if err != nil {
		return err
	}
	r := record{Format: carriedFormat, Launch: launch, Probes: probes, Tree: tree, Live: sv.live, Service: sv.carry()}
	r.Service.Hearing = sv.hearing.carry()
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("cannot write the record of a daemon: %w", err)
	}
	if err := sv.keepFiles(); err != nil {
		return err
	}
	return writeRecord(sv.keeping.memory, data)
}

// keepFiles has the init keep what it does not keep yet.
func (sv *service) keepFiles() error {
	k := &sv.keeping
	if k.memory == nil {
		fd, err := unix.MemfdCreate("record", unix.MFD_CLOEXEC)
		if err != nil {
			return fmt.Errorf("cannot write the record of a daemon: %w", err)
		}
		k.memory, k.files = os.NewFile(uintptr(fd), "record"), map[string]uint64{}
	}
	if err := sv.keepFile("record/"+sv.name, int(k.memory.Fd())); err != nil {
		return err
	}
	var failed error
	if err := sv.log.WithPipe(func(fd int) { failed = sv.keepFile("log/"+sv.name, fd) }); err != nil || failed != nil {
		return firstOf(err, failed)
	}
	if fd := sv.hearing.socketFD(); fd >= 0 {
		if err := sv.keepFile("notify/"+sv.name, fd); err != nil {
			return err
		}
	}
	for i := range sv.sockets {
		raw, err := sv.sockets[i].file.SyscallConn()
		if err == nil {
			err = raw.Control(func(fd uintptr) { failed = sv.keepFile(socketName(sv.name, i), int(fd)) })
		}
		if err != nil || failed != nil {
			return firstOf(err, failed)
		}
	}
	return nil
}

func socketName(service string, i int) string { return fmt.Sprintf("socket/%s/%d", service, i) }

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (sv *service) keepFile(name string, fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("cannot have %s kept: %w", name, err)
	}
	if sv.keeping.files[name] == st.Ino {
		return nil
	}
	if err := sv.sup.options.Init.Keep(name, fd); err != nil {
		return err
	}
	sv.keeping.files[name] = st.Ino
	return nil
}

// A record begins with the length of its JSON and the SHA-256 of that, so that one which is half written is none.
const recordHead = 8 + sha256.Size

// mostRecord bounds what is read, in bytes.
const mostRecord = 16 << 20

func writeRecord(memory *os.File, data []byte) error {
	if len(data) > mostRecord {
		return fmt.Errorf("cannot write the record of a daemon: it has %d bytes, more than %d", len(data), mostRecord)
	}
	sum := sha256.Sum256(data)
	head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(data))), sum[:]...)
	if _, err := memory.WriteAt(data, recordHead); err != nil {
		return fmt.Errorf("cannot write the record of a daemon: %w", err)
	}
	if _, err := memory.WriteAt(head, 0); err != nil {
		return fmt.Errorf("cannot write the record of a daemon: %w", err)
	}
	return nil
}

var errUnread = errors.New("its record cannot be read")

// readRecord returns nil where it was erased.
func readRecord(memory int) (*record, error) {
	head := make([]byte, recordHead)
	if n, err := unix.Pread(memory, head, 0); err != nil || n < len(head) {
		return nil, errUnread
	}
	length := binary.LittleEndian.Uint64(head)
	if length == 0 {
		return nil, nil
	}
	if length > mostRecord {
		return nil, fmt.Errorf("its record has %d bytes, more than %d", length, mostRecord)
	}
	data := make([]byte, length)
	if n, err := unix.Pread(memory, data, recordHead); err != nil || n < len(data) {
		return nil, errUnread
	}
	if sum := sha256.Sum256(data); !bytes.Equal(sum[:], head[8:]) {
		return nil, errors.New("its record is half written")
	}
	return parseRecord(data)
}

func parseRecord(data []byte) (*record, error) {
	var r record
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("its record cannot be read: %w", err)
	}
	if r.Format != carriedFormat || r.Live == nil || (r.Service.Machine == nil) == (r.Service.Task == nil) {
		return nil, errors.New("its record is of another program")
	}
	return &r, nil
}
