package notify

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

func TestMessagesAreReadAsTheProtocolHasThem(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	for _, test := range []struct {
		text string
		want Message
	}{
		{"READY=1", Message{Ready: true}},
		{"READY=1\n", Message{Ready: true}},
		{"READY=0", Message{}},
		{"READY=1\nSTATUS=up=yes\nMAINPID=7", Message{Ready: true, Status: text("up=yes"), Refused: []string{"MAINPID is not obeyed: the daemon is whom the supervisor started, and nobody else"}}},
		{"STATUS=", Message{Status: text("")}},
		{"STATUS=a\x1b[2Jb\xff", Message{Status: text("a?[2Jb?")}},
		{"RELOADING=1\nMONOTONIC_USEC=12", Message{Reloading: true}},
		{"STOPPING=1", Message{Stopping: true}},
		{"WATCHDOG=1", Message{Alive: true}},
		{"WATCHDOG=trigger", Message{Hung: true}},
		{"EXTEND_TIMEOUT_USEC=1500000", Message{Extend: 1500 * time.Millisecond}},
		{"EXTEND_TIMEOUT_USEC=18446744073709551615", Message{Extend: 24 * time.Hour}},
		{"EXTEND_TIMEOUT_USEC=-1", Message{}},
		{"ERRNO=2", Message{Failure: "ERRNO=2, no such file or directory"}},
		{"EXIT_STATUS=3", Message{Failure: "EXIT_STATUS=3"}},
		{"BUSERROR=org.x.Y", Message{Failure: "BUSERROR=org.x.Y"}},
		{"X_OWN=1\n=\nrubbish\n\n", Message{}},
	} {
		got := Parse([]byte(test.text))
		if got, want := shown(got), shown(test.want); got != want {
			t.Errorf("%q is %s, wanted %s", test.text, got, want)
		}
	}
}

// shown has the status's text in place of where it lies.
func shown(m Message) string {
	status := "none"
	if m.Status != nil {
		status, m.Status = fmt.Sprintf("%q", *m.Status), nil
	}
	return fmt.Sprintf("%+v, status %s", m, status)
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte("READY=1\nSTATUS=\x00\xff\nEXTEND_TIMEOUT_USEC=1e9"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := Parse(text)
		if m.Extend < 0 || m.Extend > longestExtension {
			t.Errorf("an extension of %v", m.Extend)
		}
		if m.Status != nil && (!utf8.ValidString(*m.Status) || len(*m.Status) > 2*longestStatus || strings.ContainsAny(*m.Status, "\n\x1b\x00")) {
			t.Errorf("the status is %q", *m.Status)
		}
	})
}

// heard is a Listener that keeps what it is told. Everything of this process and none of another belongs.
type heard struct {
	mu       sync.Mutex
	messages []Message
	strange  []string
}

func (h *heard) Belongs(pid int) bool { return pid == os.Getpid() }

func (h *heard) Hear(m Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.messages = append(h.messages, m)
}

func (h *heard) Strange(_ int, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.strange = append(h.strange, reason)
}

func (h *heard) count() (messages, strange int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.messages), len(h.strange)
}

func listen(t *testing.T, hub *Hub, l Listener) (*Ear, *net.UnixConn, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	}
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "socket")
	defer file.Close()
	if err := Identify(file); err != nil {
		t.Fatal(err)
	}
	ear, err := hub.Socket(file, l)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ear.Close(); conn.Close() })
	return ear, conn.(*net.UnixConn), path
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("in a minute it never came to be that " + what)
		}
	}
}

func open(t *testing.T) *Hub {
	hub := &Hub{}
	t.Cleanup(hub.Close)
	return hub
}

// TestBarrierIsPassedWhenAllBeforeItWasHeard, and no descriptor that is sent stays open.
func TestBarrierIsPassedWhenAllBeforeItWasHeard(t *testing.T) {
	l := &heard{}
	_, conn, path := listen(t, open(t), l)
	to := &unix.SockaddrUnix{Name: path}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for range 20 {
		var ends [2]int
		if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		before, _ := l.count()
		conn.Write([]byte("READY=1"))
		if err := unix.Sendmsg(fd, []byte("BARRIER=1"), unix.UnixRights(ends[1], ends[1]), to, 0); err != nil {
			t.Fatal(err)
		}
		unix.Close(ends[1])
		var b [1]byte
		if n, err := unix.Read(ends[0], b[:]); n != 0 || err != nil {
			t.Fatalf("the barrier gives %d, %v", n, err)
		}
		unix.Close(ends[0])
		if after, _ := l.count(); after < before+2 {
			t.Errorf("%d messages were heard before the barrier was passed", after-before)
		}
	}
}

func TestWhatCannotBeReadIsDropped(t *testing.T) {
	t.Parallel()
	l := &heard{}
	ear, conn, _ := listen(t, open(t), l)
	conn.Write([]byte(strings.Repeat("x", longest+1)))
	conn.Write([]byte("READY=1\x00STATUS=a"))
	conn.Write([]byte(strings.Repeat("x", longest)))
	conn.Write([]byte("READY=1\x00"))
	eventually(t, "all are heard", func() bool { m, s := l.count(); return m == 2 && s == 2 })
	if ear.Dropped() != 2 {
		t.Errorf("%d are counted", ear.Dropped())
	}
}

// TestStrangerIsKnownByTheKernel: a process of its own says it.
func TestStrangerIsKnownByTheKernel(t *testing.T) {
	t.Parallel()
	l := &heard{}
	_, _, path := listen(t, open(t), l)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "SAY_TO="+path)
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is dropped", func() bool { _, s := l.count(); return s == 1 })
	if m, _ := l.count(); m != 0 {
		t.Errorf("%d messages were heard", m)
	}
}

// TestMain is also the stranger.
func TestMain(m *testing.M) {
	if path := os.Getenv("SAY_TO"); path != "" {
		conn, err := net.Dial("unixgram", path)
		if err == nil {
			_, err = conn.Write([]byte("READY=1"))
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestChatterHoldsUpNobody floods one socket: another is heard all the same, and the first is heard 500 times a second.
func TestChatterHoldsUpNobody(t *testing.T) {
	t.Parallel()
	hub, noisy, quiet := open(t), &heard{}, &heard{}
	_, flood, _ := listen(t, hub, noisy)
	_, conn, _ := listen(t, hub, quiet)
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				flood.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
				flood.Write([]byte("WATCHDOG=1"))
			}
		}
	})
	began := time.Now()
	eventually(t, "it is heard no longer", func() bool { m, _ := noisy.count(); return m > mostMessages })
	conn.Write([]byte("READY=1"))
	eventually(t, "the other is heard", func() bool { m, _ := quiet.count(); return m == 1 })
	eventually(t, "a second is over", func() bool { return time.Since(began) > 1500*time.Millisecond })
	close(stop)
	group.Wait()
	if m, _ := noisy.count(); m > 4*mostMessages {
		t.Errorf("in %v it was heard %d times", time.Since(began), m)
	}
}

// TestLineIsReady: a newline, however it comes, and nothing else.
func TestLineIsReady(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"\n": true, "ready\n": true, "\nmore": true, "": false, "ready": false} {
		got := make(chan bool, 2)
		_, write, err := open(t).Pipe(func(came bool) { got <- came })
		if err != nil {
			t.Fatal(err)
		}
		write.WriteString(text)
		write.Close()
		if came := <-got; came != want {
			t.Errorf("%q: %t", text, came)
		}
	}
}

// TestEarsCostADescriptorEach, and one that is closed none.
func TestEarsCostADescriptorEach(t *testing.T) {
	hub := open(t)
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	_, first, err := hub.Pipe(func(bool) {})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	before := descriptors()
	var ears []*Ear
	for range 100 {
		ear, write, err := hub.Pipe(func(bool) {})
		if err != nil {
			t.Fatal(err)
		}
		write.Close()
		ears = append(ears, ear)
	}
	for _, ear := range ears {
		ear.Close()
	}
	if after := descriptors(); after > before {
		t.Errorf("%d descriptors are left", after-before)
	}
}
