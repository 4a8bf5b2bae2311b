package driver

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func memory(t testing.TB) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("record", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "record")
	t.Cleanup(func() { file.Close() })
	return file
}

const aRecord = `{"format":1,"launch":"x","tree":{"service":"foo","id":"1","pid":2,"started":3,"pidfd":0},"live":{},"service":{"name":"foo","at":1,"definition":{"plan":0,"env":0},"live":0,"machine":{"state":"running","generate":1},"number":1,"since":"2026-01-01T00:00:00Z"}}`

// TestAHalfWrittenRecordIsNone, whatever half of it.
func TestAHalfWrittenRecordIsNone(t *testing.T) {
	t.Parallel()
	file := memory(t)
	if err := writeRecord(file, []byte(aRecord)); err != nil {
		t.Fatal(err)
	}
	if r, err := readRecord(int(file.Fd())); err != nil || r == nil || r.Tree.PID != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	for at := range recordHead + len(aRecord) {
		torn := memory(t)
		if err := writeRecord(torn, []byte(aRecord)); err != nil {
			t.Fatal(err)
		}
		if _, err := torn.WriteAt([]byte{'~' + 1}, int64(at)); err != nil {
			t.Fatal(err)
		}
		if r, err := readRecord(int(torn.Fd())); err == nil && r != nil {
			t.Fatalf("byte %d is another, and it is read: %+v", at, r)
		}
	}
	if r, err := readRecord(int(memory(t).Fd())); err == nil {
		t.Errorf("an empty one is read: %+v", r)
	}
	if _, err := file.WriteAt(make([]byte, recordHead), 0); err != nil {
		t.Fatal(err)
	}
	if r, err := readRecord(int(file.Fd())); err != nil || r != nil {
		t.Errorf("one that was erased: %+v, %v", r, err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(aRecord))
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := parseRecord(data); err == nil && (r.Live == nil || (r.Service.Machine == nil) == (r.Service.Task == nil)) {
			t.Errorf("%q is taken", data)
		}
	})
}
