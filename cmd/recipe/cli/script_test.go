package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"recipe/interp"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
	"recipe/runtime/probe"
)

// scripted evaluates a recipe whose only probe is a script, and asks it with these flags.
func scripted(t *testing.T, call probe.Scripts, recipe, timeout string, flags map[string]expr.Value) (string, error) {
	t.Helper()
	recipe = "port = flag(\"port\", type = \"port\", default = 1, help = \"port\")\n" + recipe +
		fmt.Sprintf("\nservice(name = \"foo\", command = [\"/usr/bin/foo\", fmt(\"{}\", port)], probes = [script(check, timeout = %q)])\n", timeout)
	p, list := interp.EvaluateBytes("x.star", []byte(recipe), interp.Options{})
	if p == nil {
		t.Fatal(list)
	}
	encoded, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if p, err = plan.Decode(encoded); err != nil { // nothing but the plan's JSON is needed
		t.Fatal(err)
	}
	env := &expr.Env{Flags: flags, Facts: expr.Facts{CPUs: 3, Memory: 1 << 30, Name: "h", Arch: "x86_64"}}
	target, err := probe.Resolve(p, &p.Services[0], &p.Services[0].Probes[0], env, call)
	if err != nil {
		t.Fatal(err)
	}
	return target.Check(t.Context())
}

// TestScripts calls functions that judge well and ones that are hostile, against servers of every manner, by one runner.
func TestScripts(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/stats":
			w.Header().Set("X", "y")
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, `{"lag_ms": 12, "method": %q, "body": %q, "token": %q}`, r.Method, body, r.Header.Get("Token"))
		case "/flood":
			for r.Context().Err() == nil {
				io.WriteString(w, strings.Repeat("x", 1<<16))
			}
		case "/nested":
			io.WriteString(w, strings.Repeat("[", 1<<19))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(web.Close)
	listen := func(handle func(net.Conn)) int64 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { defer c.Close(); handle(c) }()
			}
		}()
		return int64(l.Addr().(*net.TCPAddr).Port)
	}
	http := int64(web.Listener.Addr().(*net.TCPAddr).Port)
	binary := listen(func(c net.Conn) {
		head := make([]byte, 4)
		io.ReadFull(c, head)
		c.Write([]byte{3, 0, 0, head[3], 'a', 'b', 'c', '\r', '\n'})
		bufio.NewReader(c).ReadString('\n')
		c.Write([]byte("bye\r\n"))
	})
	hung := listen(func(c net.Conn) { io.Copy(io.Discard, c) })
	resets := listen(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) })
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	go func() {
		piece := make([]byte, 100)
		for {
			n, from, err := udp.ReadFrom(piece)
			if err != nil {
				return
			}
			udp.WriteTo(append([]byte("re:"), piece[:n]...), from)
		}
	}()
	calls := newScripts()
	t.Cleanup(calls.close)

	for name, test := range map[string]struct {
		recipe string
		port   int64
		want   string // in the error; "" is healthy
	}{
		"http": {`
limit = 500
def lag(reply):
    return reply.json()["lag_ms"]
def check(probe):
    reply = probe.http("POST", "/stats", port = port, body = b"b", headers = {"Token": "a b"})
    if reply.status != 200 or reply.headers["x"] != "y" or reply.json()["token"] != "a b" or reply.json()["method"] != "POST":
        fail("found", reply.text)
    return lag(reply) < limit
`, http, ""},
		"host and flags": {`
facts = {"cpus": host.cpus, "all": [port, (host.name,)]}
def check(probe):
    return host.memory == 1 << 30 and facts["cpus"] + 1 == 4 and facts["all"] == [port, ("h",)] and port > 1 and "%s" % port == str(port) and probe.service == "foo"
`, http, ""},
		"binary": {`
def check(probe):
    c = probe.connect(port)
    c.send(probe.bytes(probe.pack(1, 3, little = True), 7))
    head = c.read(4)
    size = probe.unpack(head[:3], little = True)
    if size != 3 or probe.unpack(head[3:]) != 7 or c.read(size) != b"abc" or c.line() != "":
        return False
    c.send("quit\n")
    found = c.read_until("\r\n")
    c.close()
    c.close()
    return found == "bye\r\n"
`, binary, ""},
		"udp":           {"def check(probe):\n    return probe.udp(port, b\"\\x00?\") == b\"re:\\x00?\"\n", int64(udp.LocalAddr().(*net.UDPAddr).Port), ""},
		"False":         {"def check(probe):\n    return False\n", http, "check returned False"},
		"nothing":       {"def check(probe):\n    probe.log(\"here\")\n", http, "check returned NoneType: a probe's function returns True or False (here)"},
		"fail":          {"\ndef check(probe):\n    fail(\"lag is\", 7)\n", http, "x.star:4: lag is 7"},
		"error":         {"def helper(x):\n    return {}[x]\ndef check(probe):\n    return helper(\"a\")\n", http, `x.star:3: key "a" not in dict`},
		"closed":        {"def check(probe):\n    return probe.http(\"GET\", \"/\", port = port).status == 200\n", binary, "x.star:3: GET /: "},
		"not found":     {"def check(probe):\n    return probe.http(\"GET\", \"/none\", port = port).status == 200\n", http, "check returned False"},
		"resets":        {"def check(probe):\n    return probe.connect(port).line() == \"\"\n", resets, "connection reset by peer"},
		"hangs":         {"def check(probe):\n    return probe.connect(port).line() == \"\"\n", hung, "no answer within 500ms"},
		"never ends":    {"def check(probe):\n    for i in range(1000000000):\n        pass\n    return True\n", http, "it took more than 5000000 steps"},
		"grows":         {"def check(probe):\n    x = \"a\" * 1000000\n    for i in range(100):\n        x += x\n    return True\n", http, "the function check was stopped: it"},
		"is flooded":    {"def check(probe):\n    return probe.http(\"GET\", \"/flood\", port = port).status == 200\n", http, "the body is longer than 1048576 bytes"},
		"deep json":     {"def check(probe):\n    return probe.http(\"GET\", \"/nested\", port = port).json() == []\n", http, "json: the body nests deeper than 200"},
		"splits a head": {"def check(probe):\n    return probe.http(\"GET\", \"/\", port = port, headers = {\"A\": \"b\\r\\nC: d\"}).status == 200\n", http, "is none"},
		"no size":       {"def check(probe):\n    return probe.pack(-1, 0) == probe.pack(1, -1)\n", http, "a number has 1 to 8 bytes, found 0"},
		"no place":      {"def check(probe):\n    return probe.connect() == None\n", http, "either port or unix says where to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := "20s"
			if strings.Contains(test.want, "500ms") {
				timeout = "500ms"
			}
			_, err := scripted(t, calls.call, test.recipe, timeout, map[string]expr.Value{"port": {Kind: expr.Int, Int: test.port}})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, wanted %q", err, test.want)
			}
		})
	}
}

// TestScriptIsRefused wants the reason where a function cannot be kept.
func TestScriptIsRefused(t *testing.T) {
	t.Parallel()
	for recipe, want := range map[string]string{
		"def make():\n    def inner(probe):\n        return True\n    return inner\ncheck = make()\n": "inner is not a function of a file's top level",
		"check = lambda probe: True\n":                                  "is not a function of a file's top level",
		"def check(probe):\n    return tcp(1) == None\n":                "check uses the word tcp, which describes and cannot be called later",
		"user = account(\"foo\")\ndef check(probe):\n    return user\n": "check uses user: account(\"foo\") is no value",
		"def check(probe):\n    return True\npackage(name = \"foo\", version = \"1\", maintainer = \"Foo <foo@example.org>\", summary = \"foo\")\n": "the probe calls a function, which no shell can",
	} {
		_, list := interp.EvaluateBytes("x.star", []byte(recipe+"service(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [script(check)])\n"), interp.Options{})
		if text := list.String(); !list.Failed() || !strings.Contains(text, want) {
			t.Errorf("%s\ngot %s\nwanted %q", recipe, text, want)
		}
	}
}

// TestScriptsDigestChangesWithTheFunction: what the function uses changes the plan, and what stands beside it does not.
func TestScriptsDigestChangesWithTheFunction(t *testing.T) {
	t.Parallel()
	name := "x.star"
	digest := func(recipe string) string {
		t.Helper()
		p, list := interp.EvaluateBytes(name, []byte(recipe+"\nservice(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [script(check)])\n"), interp.Options{})
		if p == nil {
			t.Fatal(list)
		}
		d, err := p.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const text = "limit = 1\ndef helper():\n    return limit\ndef check(probe):\n    return helper() == 1\n"
	first := digest(text)
	if digest(text+"# a remark\nother = 2\n") != first {
		t.Error("what the function does not use changes the plan")
	}
	for _, name = range []string{"./x.star", "/some/where/x.star", "where/x.star"} {
		if digest(text) != first {
			t.Errorf("the plan is another as %s", name)
		}
	}
	for _, change := range [][2]string{{"limit = 1", "limit = 2"}, {"return limit", "return +limit"}, {"== 1", "!= 1"}} {
		if digest(strings.Replace(text, change[0], change[1], 1)) == first {
			t.Errorf("%q for %q changes nothing", change[1], change[0])
		}
	}
}
