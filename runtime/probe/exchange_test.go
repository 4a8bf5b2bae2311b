package probe

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"recipe/runtime/plan"
)

const short = 150 * time.Millisecond

// says answers the first line by these pieces, with a pause between them.
func says(pause time.Duration, pieces ...string) func(net.Conn) {
	return func(c net.Conn) {
		line(c)
		for i, piece := range pieces {
			if i > 0 {
				time.Sleep(pause)
			}
			if _, err := c.Write([]byte(piece)); err != nil {
				return
			}
		}
	}
}

// hangs answers by text and then neither speaks nor closes.
func hangs(text string) func(net.Conn) {
	return func(c net.Conn) {
		line(c)
		c.Write([]byte(text))
		c.Read(make([]byte, 1<<20))
		c.Read(make([]byte, 1))
	}
}

func TestTCP(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 100<<10)
	for name, test := range map[string]struct {
		daemon  func(net.Conn)
		probe   plan.TCPProbe
		timeout time.Duration
		want    string // the error, with ADDRESS; empty for healthy
	}{
		"answers":                     {says(0, "+PONG\r\n"), plan.TCPProbe{Send: "PING\r\n", Expect: "PONG"}, time.Second, ""},
		"answers in pieces":           {says(10*time.Millisecond, "+P", "O", "NG"), plan.TCPProbe{Send: "PING\r\n", Expect: "PONG"}, time.Second, ""},
		"any byte will do":            {says(0, "x"), plan.TCPProbe{Send: "PING\r\n"}, time.Second, ""},
		"speaks first":                {func(c net.Conn) { c.Write([]byte("220 ready\r\n")) }, plan.TCPProbe{Expect: "220"}, time.Second, ""},
		"answer after a long preface": {says(0, big[:60<<10], "PONG"), plan.TCPProbe{Send: "PING\n", Expect: "PONG"}, time.Second, ""},
		"never answers": {hangs(""), plan.TCPProbe{Send: "PING\r\n", Expect: "PONG"}, short,
			`sent "PING\r\n" to ADDRESS: no answer within 150ms`},
		"never speaks": {hangs(""), plan.TCPProbe{}, short,
			`waited for ADDRESS to speak: no answer within 150ms`},
		"half an answer": {hangs("+PO"), plan.TCPProbe{Send: "PING\r\n", Expect: "PONG"}, short,
			`sent "PING\r\n" to ADDRESS: found "+PO", wanted "PONG" within 150ms`},
		"drips beyond the timeout": {says(20*time.Millisecond, strings.Split(strings.Repeat("x", 100), "")...), plan.TCPProbe{Send: "PING\n", Expect: "PONG"}, short,
			`sent "PING\n" to ADDRESS: found "xxx`},
		"another answer": {says(0, "-ERR\r\n"), plan.TCPProbe{Send: "PING\r\n", Expect: "PONG"}, time.Second,
			`sent "PING\r\n" to ADDRESS: found "-ERR\r\n", wanted "PONG", then: it closed the connection`},
		"closes": {func(c net.Conn) { line(c) }, plan.TCPProbe{Send: "PING\r\n"}, time.Second,
			`sent "PING\r\n" to ADDRESS: it closed the connection`},
		"resets": {func(c net.Conn) { line(c); reset(c) }, plan.TCPProbe{Send: "PING\r\n"}, time.Second,
			`sent "PING\r\n" to ADDRESS: connection reset by peer`},
		"floods": {says(0, big, big), plan.TCPProbe{Send: "PING\n", Expect: "PONG"}, 5 * time.Second,
			`sent "PING\n" to ADDRESS: "PONG" is not in the first 64 KiB of the answer`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.daemon)
			judge(t, s.tcp(t, test.probe, test.timeout), s, test.want)
		})
	}
}

// A hung daemon's listener still accepts: that is the kernel's doing.
func TestConnectionAloneIsNoAnswer(t *testing.T) {
	t.Parallel()
	s := backlog(t)
	judge(t, s.tcp(t, plan.TCPProbe{Send: "PING\r\n", Expect: "PONG"}, short), s, `sent "PING\r\n" to ADDRESS: no answer within 150ms`)
	judge(t, s.tcp(t, plan.TCPProbe{}, short), s, `waited for ADDRESS to speak: no answer within 150ms`)
	judge(t, s.http(t, plan.HTTPProbe{Path: "/healthz", Status: plan.Status(200)}, short), s, `GET http://ADDRESS/healthz: no answer within 150ms`)
	judge(t, s.tcp(t, plan.TCPProbe{ConnectOnly: true}, short), s, "")
}

func TestRefusedIsSaid(t *testing.T) {
	t.Parallel()
	s := refusing(t)
	judge(t, s.tcp(t, plan.TCPProbe{}, time.Second), s, "connect ADDRESS: connection refused")
	judge(t, s.tcp(t, plan.TCPProbe{ConnectOnly: true}, time.Second), s, "connect ADDRESS: connection refused")
	judge(t, s.http(t, plan.HTTPProbe{Path: "/", Status: plan.Status(200)}, time.Second), s, "connect ADDRESS: connection refused")
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	head := "HTTP/1.1 200 OK\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 1000, strings.Repeat("x", 1000))
	for name, test := range map[string]struct {
		daemon func(net.Conn)
		probe  plan.HTTPProbe
		want   string
	}{
		"wanted status":          {says(0, head+"Content-Length: 0\r\n\r\n"), plan.HTTPProbe{Status: plan.Status(200)}, ""},
		"status in pieces":       {says(10*time.Millisecond, "HT", "TP/1.1 200 O", "K\r\n\r", "\n"), plan.HTTPProbe{Status: plan.Status(200)}, ""},
		"other wanted status":    {says(0, "HTTP/1.0 204 No Content\r\n\r\n"), plan.HTTPProbe{Status: plan.Status(204)}, ""},
		"announced answer":       {says(0, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", head+"\r\n"), plan.HTTPProbe{Status: plan.Status(200)}, ""},
		"stream without an end":  {hangs(head + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"), plan.HTTPProbe{Status: plan.Status(200)}, ""},
		"text in a stream":       {hangs(head + "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n"), plan.HTTPProbe{Status: plan.Status(200), Expect: "hello"}, ""},
		"text at the end":        {says(0, head+"\r\n"+strings.Repeat("x", 60<<10)+"ok"), plan.HTTPProbe{Status: plan.Status(200), Expect: "ok"}, ""},
		"wrong status":           {says(0, "HTTP/1.1 503 Service Unavailable\r\n\r\n"), plan.HTTPProbe{Status: plan.Status(200)}, "status 503, wanted 200"},
		"redirect":               {says(0, "HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"), plan.HTTPProbe{Status: plan.Status(200)}, `status 302 to "http://x/", wanted 200`},
		"other text":             {says(0, head+"Content-Length: 3\r\n\r\nbad"), plan.HTTPProbe{Status: plan.Status(200), Expect: "ok"}, `the body "bad" does not hold "ok"`},
		"text too far":           {says(0, head+"\r\n", strings.Repeat("x", 64<<10), "ok"), plan.HTTPProbe{Status: plan.Status(200), Expect: "ok"}, `"ok" is not in the first 64 KiB of the body`},
		"text too far in chunks": {says(0, head+"Transfer-Encoding: chunked\r\n\r\n", strings.Repeat(chunk, 100)), plan.HTTPProbe{Status: plan.Status(200), Expect: "ok"}, `"ok" is not in the first 64 KiB of the body`},
		"no answer":              {hangs(""), plan.HTTPProbe{Status: plan.Status(200)}, "no answer within 500ms"},
		"half a head":            {hangs(head + "Content-Le"), plan.HTTPProbe{Status: plan.Status(200)}, "no whole answer within 500ms, only 27 bytes"},
		"half a body":            {hangs(head + "Content-Length: 10\r\n\r\nhalf"), plan.HTTPProbe{Status: plan.Status(200), Expect: "ok"}, "no whole answer within 500ms, only 43 bytes"},
		"breaks off":             {func(c net.Conn) { line(c); drainInput(c); c.Write([]byte(head + "Content-Length: 10\r\n\r\nhalf")) }, plan.HTTPProbe{Status: plan.Status(200), Expect: "ok"}, "the answer breaks off after 43 bytes: it closed the connection"},
		"drips":                  {says(20*time.Millisecond, strings.Split(strings.Repeat("HTTP/1.1", 20), "")...), plan.HTTPProbe{Status: plan.Status(200)}, "no whole answer within 500ms, only "},
		"closes":                 {func(c net.Conn) { line(c); drainInput(c) }, plan.HTTPProbe{Status: plan.Status(200)}, "it closed the connection"},
		"resets":                 {func(c net.Conn) { line(c); reset(c) }, plan.HTTPProbe{Status: plan.Status(200)}, "connection reset by peer"},
		"another protocol":       {hangs("-ERR unknown command 'GET'\r\n"), plan.HTTPProbe{Status: plan.Status(200)}, `the answer is not HTTP: `},
		"head without an end":    {says(0, head, strings.Repeat("A: b\r\n", 20<<10)), plan.HTTPProbe{Status: plan.Status(200)}, "no end of the header in the first 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.daemon)
			test.probe.Path = "/healthz"
			if test.want != "" {
				test.want = "GET http://ADDRESS/healthz: " + test.want
			}
			judge(t, s.http(t, test.probe, 500*time.Millisecond), s, test.want)
		})
	}
}

func TestHTTPAsksPlainly(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	s := serve(t, func(c net.Conn) {
		p := make([]byte, 4096)
		n, _ := c.Read(p)
		asked <- string(p[:n])
		c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	})
	judge(t, s.http(t, plan.HTTPProbe{Path: "/a?b=c", Status: plan.Status(200)}, time.Second), s, "")
	want := fmt.Sprintf("GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: recipe\r\nAccept: */*\r\nConnection: close\r\n\r\n", s.port)
	if got := <-asked; got != want {
		t.Errorf("asked %q, wanted %q", got, want)
	}
}

func TestHostMayBeAName(t *testing.T) {
	t.Parallel()
	s := serve(t, says(0, "x"))
	judge(t, s.tcp(t, plan.TCPProbe{Host: "localhost", Send: "\n"}, time.Second), s, "")
}

// judge checks the error, whose start is enough, and that the timeout is kept.
func judge(t *testing.T, target *Target, s server, want string) {
	t.Helper()
	began := time.Now()
	_, err := target.Check(t.Context())
	if took := time.Since(began); took > target.Timeout+2*time.Second {
		t.Errorf("it took %v", took)
	}
	got := ""
	if err != nil {
		got = strings.ReplaceAll(err.Error(), net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), "ADDRESS")
	}
	if got != want && (want == "" || !strings.HasPrefix(got, want)) {
		t.Errorf("got %q, wanted %q", got, want)
	}
}

// drainInput reads the rest of a request, so that closing does not reset.
func drainInput(c net.Conn) {
	for line(c) != "" {
	}
}
