package logs

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// receive listens as the host's log does, at a short path.
func receive(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	to, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.Close() })
	to.SetReadDeadline(time.Now().Add(time.Minute))
	return to
}

// message is the next that is received, also one that is in a file.
func message(t *testing.T, from *net.UnixConn) string {
	t.Helper()
	text, rights := make([]byte, 256<<10), make([]byte, 256)
	n, m, _, _, err := from.ReadMsgUnix(text, rights)
	if err != nil {
		t.Fatal(err)
	}
	if m == 0 {
		return string(text[:n])
	}
	list, err := unix.ParseSocketControlMessage(rights[:m])
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.ParseUnixRights(&list[0])
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[0]), "message")
	defer f.Close()
	if seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0); err != nil || seals != unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE {
		t.Errorf("seals %#x, %v", seals, err)
	}
	whole, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	return string(whole)
}

// forwards is a log that is forwarded to a socket of the test's.
func forwards(t *testing.T, to plan.LogForward, limits plan.Logs) (l *Log, dir, socket string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "log") // the path of a socket has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	socket = filepath.Join(folder, "socket")
	c := collector(t)
	c.syslog.path, c.journald.path = socket, socket
	dir = filepath.Join(t.TempDir(), "logs")
	limits.Size, limits.Forward = 1<<20, to
	l, err = c.Open(dir, "foo", limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, dir, socket
}

func TestLinesAreForwarded(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for to, form := range map[plan.LogForward]string{
		plan.ForwardSyslog:   "<30>STAMP foo: LINE",
		plan.ForwardRFC5424:  "<30>1 TIME " + headerField(host, 255) + " foo - - - LINE",
		plan.ForwardJournald: "PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=foo\nMESSAGE=LINE\n",
	} {
		t.Run(string(to), func(t *testing.T) {
			t.Parallel()
			l, dir, socket := forwards(t, to, plan.Logs{})
			from := receive(t, socket)
			io.WriteString(l.Writer(), "one\n\ntw\x00o")
			l.EndIncarnation()
			l.Note("recipe: it exited")
			for _, line := range []string{"one", "", "tw o", "recipe: it exited"} {
				got := withoutTimes(message(t, from))
				if to == plan.ForwardSyslog {
					if at, err := time.Parse(time.Stamp, got[4:4+len(time.Stamp)]); err != nil || at.Year() != 0 {
						t.Fatalf("the time of %q: %v", got, err)
					}
					got = got[:4] + "STAMP" + got[4+len(time.Stamp):]
				}
				same(t, got, strings.Replace(form, "LINE", line, 1))
			}
			drain(t, l)
			same(t, whole(t, dir), "one\n\ntw\x00o\nrecipe: it exited\n")
			if stats := l.Stats(); stats.Unsent != 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

// TestWhatIsTooLongForADatagram goes to journald in a file, and to syslog in pieces.
func TestWhatIsTooLongForADatagram(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 3<<10)
	t.Run("journald", func(t *testing.T) {
		t.Parallel()
		l, _, socket := forwards(t, plan.ForwardJournald, plan.Logs{})
		from := receive(t, socket)
		io.WriteString(l.Writer(), "first\n")
		message(t, from)
		// The least that a socket can be given, less than the line.
		l.collector.journald.mu.Lock()
		err := unix.SetsockoptInt(l.collector.journald.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4096)
		l.collector.journald.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(l.Writer(), long+"\n")
		if got := message(t, from); !strings.HasSuffix(got, "MESSAGE="+long+"\n") {
			t.Errorf("%d bytes: %.80q", len(got), got)
		}
	})
	t.Run("syslog", func(t *testing.T) {
		t.Parallel()
		l, _, socket := forwards(t, plan.ForwardSyslog, plan.Logs{})
		from := receive(t, socket)
		io.WriteString(l.Writer(), long+"\n")
		var got strings.Builder
		for got.Len() < len(long) {
			_, piece, _ := strings.Cut(message(t, from), " foo: ")
			got.WriteString(piece)
		}
		same(t, got.String(), long)
	})
}

// TestReceiverThatIsGoneOrHangsStopsNobody: what it missed is counted, and said to both sides.
func TestReceiverThatIsGoneOrHangsStopsNobody(t *testing.T) {
	t.Parallel()
	l, dir, socket := forwards(t, plan.ForwardSyslog, plan.Logs{})
	io.WriteString(l.Writer(), "one\ntwo\n")
	drain(t, l)
	same(t, whole(t, dir), "one\ntwo\nrecipe: cannot send to "+socket+": no such file or directory: from here on lines are in this file alone\n")
	if n := l.Stats().Unsent; n != 2 {
		t.Errorf("%d lines were not sent", n)
	}
	from := receive(t, socket)
	eventually(t, func() bool {
		io.WriteString(l.Writer(), "again\n")
		drain(t, l)
		from.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		text := make([]byte, 1000)
		n, err := from.Read(text)
		return err == nil && strings.Contains(string(text[:n]), " lines not forwarded")
	})
	// It is started anew: the next line reaches it.
	from.Close()
	os.Remove(socket)
	from = receive(t, socket)
	io.WriteString(l.Writer(), "after its restart\n")
	if got := message(t, from); !strings.HasSuffix(got, "after its restart") {
		t.Errorf("%q", got)
	}
	// It reads no more.
	lines := flood(t, l, 4<<20, 6*time.Second)
	l.Close() // which does not wait for it
	if stats := l.Stats(); stats.Dropped != 0 || stats.Unsent < int64(lines)/2 {
		t.Errorf("of %d lines: %+v", lines, stats)
	}
}

// TestARateHoldsForWhatIsForwarded, and the count of what it dropped goes along.
func TestARateHoldsForWhatIsForwarded(t *testing.T) {
	t.Parallel()
	l, _, socket := forwards(t, plan.ForwardSyslog, plan.Logs{Rate: 1, Burst: 2})
	from := receive(t, socket)
	io.WriteString(l.Writer(), "1\n2\n3\n4\n")
	l.EndIncarnation()
	for _, want := range []string{"1", "2", "recipe: 2 lines dropped: more than 1 a second"} {
		if got := message(t, from); !strings.HasSuffix(got, " foo: "+want) {
			t.Errorf("%q, wanted %q", got, want)
		}
	}
}

// TestForwardingIsChangedWhileItRuns, and ended.
func TestForwardingIsChangedWhileItRuns(t *testing.T) {
	t.Parallel()
	l, _, socket := forwards(t, plan.ForwardSyslog, plan.Logs{})
	from := receive(t, socket)
	for _, to := range []plan.LogForward{plan.ForwardJournald, plan.ForwardNone, plan.ForwardRFC5424} {
		l.SetLimits(plan.Logs{Size: 1 << 20, Forward: to})
		io.WriteString(l.Writer(), string(to)+" it is\n")
		drain(t, l)
	}
	for _, want := range []string{"MESSAGE=journald it is\n", " foo - - - rfc5424 it is"} {
		if got := message(t, from); !strings.HasSuffix(got, want) {
			t.Errorf("%q, wanted %q", got, want)
		}
	}
}

// FuzzMessage: whatever a line holds, it is one message of one receiver's form.
func FuzzMessage(f *testing.F) {
	f.Add([]byte("plain"), "host")
	f.Add([]byte("MESSAGE=x\x00PRIORITY=0"), "a b\n")
	f.Fuzz(func(t *testing.T, line []byte, host string) {
		line = []byte(strings.ReplaceAll(string(line), "\n", ""))
		for _, to := range plan.LogForwards() {
			fw := &forwarder{to: plan.LogForward(to), service: "foo", host: host}
			got := string(fw.message(line, noon))
			lines := strings.Count(got, "\n")
			if want := map[string]int{"journald": 4}[to]; lines != want || strings.Contains(got, "\x00") {
				t.Fatalf("%s: %q", to, got)
			}
			if fields := strings.SplitN(got, " ", 8); to == "rfc5424" && (len(fields) != 8 || fields[3] != "foo" || fields[7] != strings.ReplaceAll(string(line), "\x00", " ")) {
				t.Fatalf("%s: %q", to, got)
			}
		}
	})
}
