package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"recipe/interp"
	"recipe/runtime/plan"
	"recipe/runtime/unit"
)

// realServer is a daemon as its distribution has it. In texts, DIR is its folder and PORT its port.
type realServer struct {
	name    string
	program string // on PATH, or a pattern of paths
	files   map[string]string
	user    int        // who runs everything; 0 is the tester
	before  [][]string // commands that must succeed
	args    []string
	module  string
	probes  []string // calls of the module that are healthy
}

func realServers() []realServer {
	return []realServer{
		{
			name: "redis", program: "redis-server", module: "redis",
			files:  map[string]string{"conf": "port PORT\nbind 127.0.0.1\nsave \"\"\nrequirepass never-told\nuser probe reset on nopass +ping ~k +set +get\n"},
			args:   []string{"DIR/conf"},
			probes: []string{`redis(PORT, user = "probe")`, `redis(PORT, user = "probe", key = "k")`},
		},
		{
			name: "memcached", program: "memcached", module: "memcached", user: nobody,
			args:   []string{"-l", "127.0.0.1", "-p", "PORT", "-U", "0"},
			probes: []string{`memcached(PORT)`},
		},
		{
			name: "mosquitto", program: "/usr/sbin/mosquitto", module: "mqtt", user: nobody,
			files:  map[string]string{"conf": "listener PORT 127.0.0.1\nallow_anonymous true\n"},
			args:   []string{"-c", "DIR/conf"},
			probes: []string{`mqtt(PORT)`},
		},
		{
			name: "mosquitto that wants passwords", program: "/usr/sbin/mosquitto", module: "mqtt", user: nobody,
			files:  map[string]string{"conf": "listener PORT 127.0.0.1\nallow_anonymous false\n"},
			args:   []string{"-c", "DIR/conf"},
			probes: []string{`mqtt(PORT, anonymous = False)`},
		},
		{
			name: "dnsmasq", program: "/usr/sbin/dnsmasq", module: "dns",
			args: []string{"-k", "--conf-file=/dev/null", "--pid-file=", "--user=nobody", "--port=PORT", "--listen-address=127.0.0.1", "--bind-interfaces",
				"--no-resolv", "--no-hosts", "--address=/router.lan/10.0.0.1"},
			probes: []string{`dns("router.lan", port = PORT)`, `dns("example.org", port = PORT, codes = [5])`},
		},
		{
			name: "postgres", program: "/usr/lib/postgresql/*/bin/postgres", module: "postgres", user: nobody,
			before: [][]string{{"initdb", "-A", "trust", "-U", "postgres", "-D", "DIR/data"},
				{"/bin/sh", "-c", "echo 'host all locked 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\nlocal all all trust' >DIR/data/pg_hba.conf"}},
			args: []string{"-D", "DIR/data", "-p", "PORT", "-k", "DIR", "-c", "listen_addresses=127.0.0.1"},
			probes: []string{`postgres(PORT)`, `postgres(PORT, query = "SELECT 1")`, `postgres(PORT, user = "nosuch")`, `postgres(PORT, user = "locked")`,
				`postgres(unix = "DIR/.s.PGSQL.PORT", query = "SELECT 1")`},
		},
		{
			name: "mariadb", program: "/usr/sbin/mariadbd", module: "mysql", user: nobody,
			before: [][]string{{"mariadb-install-db", "--no-defaults", "--datadir=DIR/data", "--auth-root-authentication-method=normal", "--skip-test-db"}},
			files:  map[string]string{"sql": "CREATE USER probe@localhost;\n"},
			args:   []string{"--no-defaults", "--datadir=DIR/data", "--port=PORT", "--bind-address=127.0.0.1", "--socket=DIR/s", "--pid-file=DIR/pid", "--init-file=DIR/sql"},
			probes: []string{`mysql(PORT)`, `mysql(PORT, user = "probe")`, `mysql(unix = "DIR/s", user = "probe")`},
		},
		{
			name: "php-fpm", program: "/usr/sbin/php-fpm*", module: "fastcgi", user: nobody,
			files:  map[string]string{"conf": "[global]\nerror_log = DIR/log\ndaemonize = no\n[www]\nlisten = 127.0.0.1:PORT\npm = static\npm.max_children = 2\nping.path = /ping\n"},
			args:   []string{"-F", "-y", "DIR/conf"},
			probes: []string{`fastcgi(PORT)`, `fastcgi(PORT, path = "/ping")`},
		},
		{
			name: "OpenSSH", program: "/usr/sbin/sshd", module: "ssh",
			before: [][]string{{"mkdir", "-p", "/run/sshd"}, {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "DIR/key"}},
			args:   []string{"-D", "-e", "-f", "/dev/null", "-p", "PORT", "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-h", "DIR/key"},
			probes: []string{`ssh(PORT)`},
		},
		{
			name: "nginx", program: "/usr/sbin/nginx", module: "probes",
			before: [][]string{{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "DIR/key", "-out", "DIR/ca", "-subj", "/CN=foo.example", "-addext", "subjectAltName=DNS:foo.example"}},
			files: map[string]string{"conf": "daemon off; pid DIR/pid; error_log stderr; events {}\n" +
				"http { access_log off; server { listen 127.0.0.1:PORT ssl; ssl_certificate DIR/ca; ssl_certificate_key DIR/key; return 200 fine; } }\n"},
			args:   []string{"-c", "DIR/conf"},
			probes: []string{`https_ok(PORT, server_name = "foo.example", ca = "DIR/ca", expect = "fine")`},
		},
	}
}

// TestLibraryAsksRealServers asks each server by what the standard library has for it: recipe and, where it can, plain sh
// find it healthy while it runs, and not healthy while it is stopped, when the kernel still accepts connections for it.
func TestLibraryAsksRealServers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("servers refuse to run as this user, or change theirs, which needs root")
	}
	for _, s := range realServers() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.test(t)
		})
	}
}

func (s realServer) test(t *testing.T) {
	program := s.find(t)
	h := newHome(t)
	port := freePort(t)
	fill := strings.NewReplacer("DIR", h.dir, "PORT", port).Replace
	for name, text := range s.files {
		h.write(name, fill(text))
	}
	if err := os.Chmod(h.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if s.user != 0 {
		h.give(s.user)
	}
	for _, command := range s.before {
		name, args := beside(program, command[0]), filled(command[1:], fill)
		if text, err := h.command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
	}
	cmd := h.command(program, filled(s.args, fill)...)
	daemon := h.start(cmd)
	t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })

	path, check := s.recipe(h, fill)
	asked := ""
	h.until("an answer to every probe", func() bool {
		said, _, code := h.recipe("probe", path)
		asked = said
		return code == 0
	}, func() string { return asked + daemon.out.String() })
	if check != "" {
		if text, err := h.command(check, "once").CombinedOutput(); err != nil {
			t.Errorf("sh finds it unhealthy: %v\n%s", err, text)
		}
	}
	for _, pid := range append(mentioning(h.dir), -cmd.Process.Pid) {
		syscall.Kill(pid, syscall.SIGSTOP)
	}
	said, errs, code := h.recipe("probe", path)
	if found := strings.Count(said, "not healthy"); code != 1 || found != len(s.probes) {
		t.Errorf("stopped, it is healthy: exit code %d\n%s%s", code, said, errs)
	}
	if check != "" {
		text, err := h.command(check, "once").CombinedOutput()
		if found := strings.Count(string(text), "no answer"); err == nil || found != len(s.probes) {
			t.Errorf("stopped, sh finds it healthy: %v\n%s", err, text)
		}
	}
}

// find is the path of the program. Where .ci/run installs it, it must be there.
func (s realServer) find(t *testing.T) string {
	t.Helper()
	if found, _ := filepath.Glob(s.program); len(found) > 0 {
		return found[len(found)-1]
	}
	path, err := exec.LookPath(s.program)
	if err == nil {
		return path
	}
	if os.Getenv("RECIPE_TEST_HOST") == "1" {
		t.Fatalf("%s is not installed, and RECIPE_TEST_HOST=1 says that it is", s.program)
	}
	t.Skipf("%s is not installed", s.program)
	return ""
}

// beside is a program of the folder of another one, if it is there.
func beside(program, name string) string {
	if path := filepath.Join(filepath.Dir(program), name); !filepath.IsAbs(name) {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return name
}

func filled(list []string, fill func(string) string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = fill(text)
	}
	return out
}

// recipe writes a recipe with the probes, and the script by which plain sh asks them; "" where it cannot.
func (s realServer) recipe(h *home, fill func(string) string) (path, check string) {
	h.t.Helper()
	calls := filled(s.probes, fill)
	name, _, _ := strings.Cut(calls[0], "(")
	text := fmt.Sprintf("load(\"@std//%s.star\", %q)\nservice(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [%s])\n", s.module, name, strings.Join(calls, ", "))
	p, list := interp.EvaluateBytes("foo.star", []byte(text), interp.Options{})
	if p == nil {
		h.t.Fatal(list)
	}
	if plan.Portable(&p.Services[0].Probes[0]) == nil {
		script, err := unit.Check(p, &p.Services[0])
		if err != nil {
			h.t.Fatal(err)
		}
		check = h.writeMode("check-foo", string(script), 0o755)
	}
	return h.write("foo.star", text), check
}
