package launch_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// TestSocketPathsOfOthersAreLeftAlone: a socket that nobody listens on is replaced, and nothing else is.
func TestSocketPathsOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range plan.SocketTypes() {
		network := map[plan.SocketType]string{plan.Stream: "unix", plan.Datagram: "unixgram"}[kind]
		for name, c := range map[string]struct {
			before func(t *testing.T, path string)
			says   string // "" where it is opened
		}{
			"nothing": {func(*testing.T, string) {}, ""},
			"a stale socket": {func(t *testing.T, path string) {
				listener(t, network, path, false)
			}, ""},
			"a socket in use": {func(t *testing.T, path string) {
				listener(t, network, path, true)
			}, "another process listens on it"},
			"a file": {func(t *testing.T, path string) { write(t, path, "x", 0o644) }, "something else has the path, and is left alone"},
			"a link": {func(t *testing.T, path string) { symlink(t, path+".elsewhere", path) }, "something else has the path, and is left alone"},
			"a link to a stale socket": {func(t *testing.T, path string) {
				listener(t, network, path+".elsewhere", false)
				symlink(t, path+".elsewhere", path)
			}, "something else has the path, and is left alone"},
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				t.Parallel()
				dir, err := os.MkdirTemp("", "s") // the path of a socket is short
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { os.RemoveAll(dir) })
				path := filepath.Join(dir, "deep", "er", "s")
				mkdir(t, filepath.Dir(filepath.Dir(path)))
				if name != "nothing" {
					mkdir(t, filepath.Dir(path))
				}
				c.before(t, path)
				was, _ := os.Lstat(path)
				s := launch.Socket{Name: "s", Type: kind, Path: path, Backlog: 10, Ownership: launch.Ownership{Mode: 0o662}}
				file, err := s.Open()
				now, _ := os.Lstat(path)
				switch {
				case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || !os.SameFile(was, now)):
					t.Errorf("%v, and it was %v and is %v", err, was, now)
				case c.says == "" && (err != nil || now.Mode() != os.ModeSocket|0o662):
					t.Errorf("%v, %v", err, now)
				case c.says == "":
					defer file.Close()
					conn, err := net.Dial(network, path)
					if err != nil {
						t.Error(err)
					} else {
						conn.Close()
					}
				}
			})
		}
	}
}

// TestSocketOfPorts opens every kind of address, and says of one that is taken that it is.
func TestSocketOfPorts(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"", "127.0.0.1", "::1"} {
		for _, kind := range plan.SocketTypes() {
			s := launch.Socket{Name: "s", Type: kind, Host: host, Port: vacant(t), Backlog: 10}
			file, err := s.Open()
			if err != nil {
				if host == "::1" && strings.Contains(err.Error(), "assign") {
					continue // a host without IPv6
				}
				t.Errorf("%s: %v", s.Address(), err)
				continue
			}
			if _, err := s.Open(); err == nil || err.Error() != "cannot listen on "+s.Address()+": Address already in use" {
				t.Errorf("%s again: %v", s.Address(), err)
			}
			if err := s.Adjust(file); err != nil {
				t.Error(err)
			}
			file.Close()
		}
	}
	long := launch.Socket{Name: "s", Type: plan.Stream, Path: filepath.Join(t.TempDir(), strings.Repeat("x", 107)), Backlog: 1}
	if _, err := long.Open(); err == nil || !strings.Contains(err.Error(), "at most 107") {
		t.Errorf("of a path that is too long: %v", err)
	}
	s := launch.Socket{Name: "s", Type: plan.Stream, Port: 70_000}
	if _, err := s.Open(); err == nil || !strings.Contains(err.Error(), "1 to 65535") {
		t.Errorf("of port 70000: %v", err)
	}
}

// vacant is a port that nobody has just now.
func vacant(t *testing.T) int64 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int64(l.Addr().(*net.TCPAddr).Port)
}

// listener leaves a socket at the path, with somebody behind it or nobody.
func listener(t *testing.T, network, path string, lives bool) {
	t.Helper()
	address := &net.UnixAddr{Name: path, Net: network}
	var closer interface{ Close() error }
	if network == "unix" {
		l, err := net.ListenUnix(network, address)
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		closer = l
	} else {
		c, err := net.ListenUnixgram(network, address)
		if err != nil {
			t.Fatal(err)
		}
		closer = c
	}
	if !lives {
		closer.Close() // a datagram socket's file is left as well
		return
	}
	t.Cleanup(func() { closer.Close() })
}
