package launch_test

import (
	"net"
	"os"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

func copied(from, to string, mode plan.Mode, once bool) plan.Step {
	return plan.Step{Copy: &plan.Copy{Source: expr.PathOf(from), Path: expr.PathOf(to), Mode: mode, Once: once}}
}

func link(path string, target expr.Expr) plan.Step {
	return plan.Step{Symlink: &plan.Symlink{Path: expr.PathOf(path), Target: target}}
}

func waits(w plan.WaitFor) plan.Step { return plan.Step{WaitFor: &w} }

func hasFile(path string, executable bool) plan.Step {
	return plan.Step{RequireFile: &plan.RequireFile{Path: expr.PathOf(path), Executable: executable}}
}

func mounted(e expr.Expr) plan.Step { return plan.Step{RequireMount: &plan.RequireMount{Path: e}} }

func writable(path string) plan.Step {
	return plan.Step{RequireWritable: &plan.RequireWritable{Path: expr.PathOf(path)}}
}

func hasMemory(bytes int64) plan.Step {
	return plan.Step{RequireMemory: &plan.RequireMemory{Size: expr.SizeOf(bytes)}}
}

func copyTwins() []twin {
	const path = "/run/foo/live.conf"
	live := copied("/usr/share/foo.conf", path, 0o640, false)
	once := copied("/usr/share/foo.conf", path, 0o640, true)
	source := func(t *testing.T, root string) { write(t, root+"/usr/share/foo.conf", "listen\n\n\x00$(id)\\n", 0o644) }
	with := func(more func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, root string) { source(t, root); more(t, root) }
	}
	return []twin{
		{name: "copy is new", plan: daemon(live), again: 1, says: "recorder", setup: source},
		{name: "copy is replaced", plan: daemon(live), says: "recorder", setup: with(func(t *testing.T, root string) { write(t, root+path, "old", 0o640) })},
		{name: "copy of another mode", plan: daemon(live), says: "recorder", setup: with(func(t *testing.T, root string) { write(t, root+path, "listen\n\n\x00$(id)\\n", 0o666) })},
		{name: "copy that is longer", plan: daemon(live), says: "recorder", setup: with(func(t *testing.T, root string) { write(t, root+path, "listen\n\n\x00$(id)\\nmore", 0o640) })},
		{name: "copy left half done", plan: daemon(live), says: "recorder", setup: with(func(t *testing.T, root string) { write(t, root+"/run/foo/.recipe-foo.new", "lis", 0o600) })},
		{name: "copy of nothing", plan: daemon(live), code: 100, says: "there is no file ROOT/usr/share/foo.conf to copy to ROOT/run/foo/live.conf\n"},
		{name: "copy of a folder", plan: daemon(copied("/usr", path, 0o644, false)), code: 100, says: "ROOT/usr is not a regular file, and cannot be copied\n", setup: source},
		{name: "copy of what nobody may read", plan: daemon(live), only: "user", code: 100, says: "the file ROOT/usr/share/foo.conf cannot be read: Permission denied\n", setup: with(func(t *testing.T, root string) { chmod(t, root+"/usr/share/foo.conf", 0) })},
		{name: "copy of a link", plan: daemon(copied("/etc/x", path, 0o644, false)), says: "recorder", setup: with(func(t *testing.T, root string) { symlink(t, "../usr/share/foo.conf", root+"/etc/x") })},
		{name: "copy of another's link", plan: daemon(copied("/etc/x", path, 0o644, false)), only: "root", code: 100, says: "the file ROOT/etc/x is a symbolic link that root did not make, which root does not follow\n", setup: with(func(t *testing.T, root string) {
			symlink(t, "../usr/share/foo.conf", root+"/etc/x")
			lchown(t, root+"/etc/x")
		})},
		{name: "copy from below another's link", plan: daemon(copied("/var/lib/x", path, 0o644, false)), only: "root", code: 100, says: "the directory ROOT/var/lib is a symbolic link that root did not make", setup: anothersLink},
		{name: "copy to below another's link", plan: daemon(copied("/usr/share/foo.conf", "/var/lib/x", 0o644, false)), only: "root", code: 100, says: "the directory ROOT/var/lib is a symbolic link that root did not make", setup: with(anothersLink)},
		{name: "copy is a link", plan: daemon(live), code: 100, says: "the file ROOT/run/foo/live.conf is a symbolic link, which is not followed\n", setup: with(func(t *testing.T, root string) { symlink(t, "../../usr/share/foo.conf", root+path) })},
		{name: "copy is a folder", plan: daemon(live), code: 100, says: "the file ROOT/run/foo/live.conf is something else already\n", setup: with(func(t *testing.T, root string) { mkdir(t, root+path) })},
		{name: "copy with owner", only: "root", again: 1, says: "recorder", setup: source, plan: daemon(plan.Step{Copy: &plan.Copy{Source: expr.PathOf("/usr/share/foo.conf"), Path: expr.PathOf(path), Owner: "daemon", Group: "mail", Mode: 0o4750}})},
		{name: "copy once is new", plan: daemon(once), again: 1, says: "recorder", setup: source},
		{name: "copy once is kept", plan: daemon(once), says: "recorder", setup: with(func(t *testing.T, root string) { write(t, root+path, "edited", 0o600) })},
		{name: "copy once is kept without a source", plan: daemon(once), says: "recorder", setup: func(t *testing.T, root string) { write(t, root+path, "edited", 0o600) }},
		{name: "copy once is a link", plan: daemon(once), code: 100, says: "the file ROOT/run/foo/live.conf is a symbolic link, which is not followed\n", setup: with(func(t *testing.T, root string) { symlink(t, "nowhere", root+path) })},
		{name: "copy once is a folder", plan: daemon(once), code: 100, says: "the file ROOT/run/foo/live.conf is something else already\n", setup: with(func(t *testing.T, root string) { mkdir(t, root+path) })},
	}
}

func linkTwins() []twin {
	current := link("/opt/foo/current", expr.TextOf("releases/it's 5"))
	const path = "/opt/foo/current"
	return []twin{
		{name: "link is new", plan: daemon(current), again: 1, says: "recorder"},
		{name: "link to a path", plan: daemon(link("/etc/x", expr.PathOf("/usr/share/x"))), again: 1, says: "recorder"},
		{name: "link to an odd text", plan: daemon(link("/a b/it's", expr.TextOf("-n $(id)\n\\"))), again: 1, says: "recorder"},
		{name: "link of a flag", plan: show(daemon(link("/x", expr.Fmt("releases/{}", expr.FlagOf("release")))), plan.Flag{Name: "release", Type: plan.FlagInt, Default: expr.IntOf(7)}), says: "recorder"},
		{name: "link is repointed", plan: daemon(current), says: "recorder", setup: func(t *testing.T, root string) { symlink(t, "releases/4", root+path) }},
		{name: "link to a folder is repointed", plan: daemon(current), says: "recorder", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/opt/foo/releases/4")
			mkdir(t, root+"/opt/foo/releases/it's 5")
			symlink(t, "releases/4", root+path)
		}},
		{name: "link left half done", plan: daemon(current), says: "recorder", setup: func(t *testing.T, root string) { symlink(t, "x", root+"/opt/foo/.recipe-foo.new") }},
		{name: "link is a file", plan: daemon(current), code: 100, says: "the link ROOT/opt/foo/current is something else already, which is not replaced: move it away\n", setup: func(t *testing.T, root string) { write(t, root+path, "kept", 0o644) }},
		{name: "link is a folder", plan: daemon(current), code: 100, says: "is something else already", setup: func(t *testing.T, root string) { mkdir(t, root+path) }},
		{name: "link below another's link", plan: daemon(link("/var/lib/x", expr.TextOf("y"))), only: "root", code: 100, says: "the directory ROOT/var/lib is a symbolic link that root did not make", setup: anothersLink},
		{name: "link in a folder that is not ours", plan: daemon(current), only: "user", code: 100, says: "the link ROOT/opt/foo/current cannot be made: Permission denied\n", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/opt/foo")
			chmod(t, root+"/opt/foo", 0o555)
		}},
	}
}

func waitTwins(t *testing.T) []twin {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close() })
	port := expr.IntOf(int64(tcp.Addr().(*net.TCPAddr).Port))
	socket := func(kind, path string) func(*testing.T, string) {
		return func(t *testing.T, root string) {
			mkdir(t, root+"/run")
			path := root + path
			var l interface{ Close() error }
			var err error
			if kind == "unixgram" {
				l, err = net.ListenUnixgram(kind, &net.UnixAddr{Name: path, Net: kind})
			} else {
				l, err = net.Listen(kind, path)
			}
			if err != nil {
				t.Fatal(err)
			}
			chmod(t, path, 0o777)
			t.Cleanup(func() { l.Close() })
		}
	}
	return []twin{
		{name: "waits for a port", plan: daemon(waits(plan.WaitFor{Port: port, Timeout: 10_000})), says: "recorder", absent: "waits for"},
		{name: "waits for a port of a name", plan: daemon(waits(plan.WaitFor{Port: port, Host: "localhost", Timeout: 10_000})), says: "recorder", absent: "waits for"},
		{name: "waits for a port in vain", plan: daemon(waits(plan.WaitFor{Port: expr.IntOf(1), Timeout: 300})), code: 100,
			says: "run-foo: foo waits for TCP port 1 of 127.0.0.1\nrun-foo: cannot start foo: TCP port 1 of 127.0.0.1 took no connection within 300ms: see to it, or give it a longer timeout\n"},
		{name: "waits for no port", plan: show(daemon(waits(plan.WaitFor{Port: expr.FlagOf("p"), Timeout: 300})), plan.Flag{Name: "p", Type: plan.FlagInt, Default: expr.IntOf(0)}), code: 100, says: "0 is not a TCP port: 1 to 65535\n"},
		{name: "waits for a socket", plan: daemon(waits(plan.WaitFor{Socket: expr.PathOf("/run/x"), Timeout: 10_000})), says: "recorder", absent: "waits for", setup: socket("unix", "/run/x")},
		{name: "waits for a socket of words", plan: daemon(waits(plan.WaitFor{Socket: expr.PathOf("/run/a  b"), Timeout: 10_000})), says: "recorder", absent: "waits for", setup: socket("unix", "/run/a  b")},
		{name: "waits for a socket of datagrams", plan: daemon(waits(plan.WaitFor{Socket: expr.PathOf("/run/x"), Timeout: 10_000})), says: "recorder", absent: "waits for", setup: socket("unixgram", "/run/x")},
		{name: "waits for a socket in vain", plan: daemon(waits(plan.WaitFor{Socket: expr.PathOf("/run/x"), Timeout: 300})), code: 100, says: "the socket ROOT/run/x took no connection within 300ms", setup: func(t *testing.T, root string) {
			mkdir(t, root+"/run")
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: root + "/run/x", Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false) // nobody listens, but the file is there
			l.Close()
		}},
		{name: "waits for a path", plan: daemon(waits(plan.WaitFor{Path: expr.PathOf("/bin"), Timeout: 10_000})), says: "recorder", absent: "waits for"},
		{name: "waits for a path in vain", plan: daemon(waits(plan.WaitFor{Path: expr.PathOf("/srv/it's"), Timeout: 250})), code: 100,
			says: "foo waits for ROOT/srv/it's\nrun-foo: cannot start foo: ROOT/srv/it's did not appear within 250ms: see to it, or give it a longer timeout\n"},
		{name: "waits for what comes", plan: daemon(run(5000, append(sh(`: >"$0"`), expr.PathOf("/started"))...), waits(plan.WaitFor{Path: expr.PathOf("/late"), Timeout: 30_000})), says: "waits for ROOT/late\nargument", setup: func(t *testing.T, root string) {
			ctx := t.Context()
			go func() {
				for ctx.Err() == nil {
					time.Sleep(700 * time.Millisecond) // what is waited for is late
					if _, err := os.Stat(root + "/started"); err == nil {
						os.Mkdir(root+"/late", 0o755)
						return
					}
				}
			}()
		}},
	}
}

func fileTwins() []twin {
	plain := func(mode os.FileMode) func(*testing.T, string) {
		return func(t *testing.T, root string) { write(t, root+"/usr/x", "x", mode) }
	}
	nobody := func(step plan.Step) *plan.Plan { return account(daemon(step), "nobody", "nogroup", expr.Expr{}) }
	return []twin{
		{name: "file is there", plan: daemon(hasFile("/usr/x", false)), says: "recorder", setup: plain(0o644)},
		{name: "file is a link", plan: daemon(hasFile("/y", false)), says: "recorder", setup: func(t *testing.T, root string) { plain(0o644)(t, root); symlink(t, "usr/x", root+"/y") }},
		{name: "file is executable", plan: daemon(hasFile("/bin/recorder", true)), says: "recorder"},
		{name: "file is missing", plan: daemon(hasFile("/usr/x", false)), code: 100, says: "cannot start foo: there is no file ROOT/usr/x: install what brings it\n"},
		{name: "file is a folder", plan: daemon(hasFile("/bin", false)), code: 100, says: "ROOT/bin is not a regular file\n"},
		{name: "file is not executable", plan: daemon(hasFile("/usr/x", true)), code: 100, says: "the file ROOT/usr/x is not executable\n", setup: plain(0o644)},
		{name: "file is not readable", plan: daemon(hasFile("/usr/x", false)), only: "user", code: 100, says: "the file ROOT/usr/x is not readable\n", setup: plain(0o200)},
		{name: "file is not readable for the account", plan: nobody(hasFile("/usr/x", false)), only: "root", code: 100, says: `the file ROOT/usr/x is not readable for "nobody"` + "\n", setup: plain(0o600)},
		{name: "file is not executable for the account", plan: nobody(hasFile("/usr/x", true)), only: "root", code: 100, says: `the file ROOT/usr/x is not executable for "nobody"` + "\n", setup: plain(0o744)},
		{name: "folder is writable", plan: daemon(writable("/bin")), says: "recorder"},
		{name: "file is writable", plan: daemon(writable("/usr/x")), says: "recorder", setup: plain(0o644)},
		{name: "nothing to write to", plan: daemon(writable("/usr/x")), code: 100, says: "there is no ROOT/usr/x to write to\n"},
		{name: "folder is not writable for the account", plan: nobody(writable("/bin")), only: "root", code: 100, says: `ROOT/bin is not writable for "nobody": see to its owner and mode`},
		{name: "file is not writable", plan: daemon(writable("/usr/x")), only: "user", code: 100, says: "ROOT/usr/x is not writable: see to", setup: plain(0o444)},
		{name: "folder cannot be entered", plan: daemon(writable("/d")), only: "user", code: 100, says: "ROOT/d is not writable", setup: func(t *testing.T, root string) { mkdir(t, root+"/d"); chmod(t, root+"/d", 0o600) }},
	}
}

func hostTwins() []twin {
	return []twin{
		{name: "memory is there", plan: daemon(hasMemory(1 << 20)), says: "recorder"},
		{name: "memory is not there", plan: daemon(hasMemory(1 << 50)), code: 100, says: "bytes of memory available and needs 1125899906842624: end what takes it, or give the host more\n"},
		{name: "nothing is mounted", plan: daemon(mounted(expr.PathOf("/bin"))), code: 100, says: "cannot start foo: nothing is mounted at ROOT/bin: mount it first\n"},
		{name: "nothing is there to be mounted at", plan: daemon(mounted(expr.PathOf("/absent"))), code: 100, says: "nothing is mounted at ROOT/absent: mount it first\n"},
		{name: "mounted", plan: daemon(mounted(expr.PathOf("/proc"))), says: "recorder", setup: func(t *testing.T, root string) { symlink(t, "/proc", root+"/proc") }},
	}
}

func lchown(t *testing.T, path string) {
	t.Helper()
	if err := os.Lchown(path, 1, 1); err != nil {
		t.Fatal(err)
	}
}
