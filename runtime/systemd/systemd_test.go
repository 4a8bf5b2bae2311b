package systemd

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// listen is a socket in place of the init's, and its address.
func listen(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, path
}

// TestTakeIsForThisProcessAlone: nothing of it is left in the environment until it is given back, and a watchdog of another
// process is none.
func TestTakeIsForThisProcessAlone(t *testing.T) {
	for _, test := range []struct {
		name, socket, usec, pid string
		listens                 bool
		watchdog                time.Duration
	}{
		{"nothing", "", "", "", false, 0},
		{"a socket", "/run/systemd/notify", "", "", true, 0},
		{"an abstract socket", "@notify", "", "", true, 0},
		{"another kind of socket", "vsock:2:1234", "", "", false, 0},
		{"a watchdog", "/n", "30000000", strconv.Itoa(os.Getpid()), true, 30 * time.Second},
		{"a watchdog of whoever", "/n", "1000", "", true, time.Millisecond},
		{"a watchdog of another", "/n", "1000", "1", true, 0},
		{"a watchdog that is none", "/n", "-1", "", true, 0},
		{"a watchdog of an age", "/n", "9223372036854775807", "", true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			given := map[string]string{notifySocket: test.socket, watchdogTime: test.usec, watchdogPID: test.pid}
			for name, value := range given {
				t.Setenv(name, value)
				if value == "" {
					os.Unsetenv(name)
				}
			}
			i := Take()
			if (i != nil) != test.listens || i.Watchdog() != test.watchdog {
				t.Errorf("listens: %t, watchdog %s", i != nil, i.Watchdog())
			}
			for name := range given {
				if value, ok := os.LookupEnv(name); ok {
					t.Errorf("%s=%s is left for children", name, value)
				}
			}
			i.GiveBack()
			for name, value := range given {
				if now := os.Getenv(name); i != nil && now != value {
					t.Errorf("%s=%s is given back, before it was %s", name, now, value)
				}
			}
		})
	}
}

func TestSayIsOneMessage(t *testing.T) {
	conn, path := listen(t)
	i := &Init{address: path}
	if err := i.Say("READY=1", "STATUS=2 of 2 up"); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 100)
	n, err := conn.Read(text)
	if err != nil || string(text[:n]) != "READY=1\nSTATUS=2 of 2 up" {
		t.Errorf("%q, %v", text[:n], err)
	}
}

// TestAnInitThatDoesNotReadStopsNobody fills its queue.
func TestAnInitThatDoesNotReadStopsNobody(t *testing.T) {
	_, path := listen(t)
	i := &Init{address: path}
	began := time.Now()
	for range 10_000 { // net.unix.max_dgram_qlen is 10 or 512
		if i.Say("WATCHDOG=1") != nil {
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it was waited for %s", took)
			}
			return
		}
	}
	t.Error("all was taken")
}

func TestNobodyIsTold(t *testing.T) {
	var i *Init
	i.GiveBack()
	if err := i.Say("READY=1"); err != nil || i.Watchdog() != 0 {
		t.Errorf("%v", err)
	}
}
