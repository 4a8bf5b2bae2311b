package metrics

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"recipe/runtime/control"
)

// pretender is a supervisor of the tests' own.
type pretender struct {
	services []control.Status
	unusable []string
}

func (p *pretender) Snapshot() *Snapshot                     { return sample() }
func (p *pretender) Status(context.Context) []control.Status { return p.services }
func (p *pretender) Unusable() []string                      { return p.unusable }

// serve serves until the test ends, and returns where.
func serve(t *testing.T, l net.Listener, s Source) (base string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, s) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func listen(t *testing.T, text string) net.Listener {
	t.Helper()
	address, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	l, err := address.Listen(t.Context(), control.Groups{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func get(t *testing.T, client *http.Client, url, accept string) (code int, kind, text string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Content-Type"), string(body)
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"127.0.0.1:9464": "127.0.0.1:9464", ":9464": "127.0.0.1:9464", "[::]:0": "[::]:0", "0.0.0.0:1": "0.0.0.0:1", "unix:/run/m.sock": "/run/m.sock",
		"9464":        `cannot serve metrics on "9464": give HOST:PORT, as in 127.0.0.1:9464, or unix:PATH`,
		"host:http":   `cannot serve metrics on "host:http": "http" is no port from 0 to 65535`,
		"host:65536":  `cannot serve metrics on "host:65536": "65536" is no port from 0 to 65535`,
		"unix:m.sock": `cannot serve metrics on "unix:m.sock": give the socket's absolute path, as in unix:/run/recipe/metrics.sock`,
	} {
		a, err := ParseAddress(text)
		got := a.path
		if got == "" {
			got = net.JoinHostPort(a.host, a.port)
		}
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestATakenPortIsSaid(t *testing.T) {
	t.Parallel()
	l := listen(t, "127.0.0.1:0")
	defer l.Close()
	address, _ := ParseAddress(l.Addr().String())
	if _, err := address.Listen(t.Context(), control.Groups{}); err == nil || err.Error() != "cannot listen on "+l.Addr().String()+": bind: address already in use" {
		t.Error(err)
	}
}

func TestScrape(t *testing.T) {
	t.Parallel()
	base := serve(t, listen(t, "127.0.0.1:0"), &pretender{})
	const prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3"
	for accept, format := range map[string]Format{"": Text, "*/*": Text, prometheus: OpenMetrics, "application/openmetrics-text;q=0.1,text/plain": Text, "text/html,;;": Text} {
		code, kind, text := get(t, http.DefaultClient, base+"/metrics", accept)
		if code != http.StatusOK || kind != string(format) || text != written(t, sample(), format) {
			t.Errorf("%q: %d, %s, %d bytes", accept, code, kind, len(text))
		}
	}
	if code, _, _ := get(t, http.DefaultClient, base+"/", ""); code != http.StatusNotFound {
		t.Errorf("/ answers %d", code)
	}
	answer, err := http.Post(base+"/metrics", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a POST answers %d", answer.StatusCode)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	up := control.Status{Service: "web", State: control.Healthy, Desired: control.Up}
	starting := control.Status{Service: "db", State: control.Starting, Desired: control.Up}
	stopped := control.Status{Service: "old", State: control.Stopped, Desired: control.Down}
	for _, test := range []struct {
		source *pretender
		query  string
		code   int
		text   string
	}{
		{&pretender{}, "", 200, "ok\n"},
		{&pretender{services: []control.Status{up, stopped}}, "", 200, "ok\n"},
		{&pretender{services: []control.Status{up, starting}}, "", 503, "db: starting\n"},
		{&pretender{services: []control.Status{up}, unusable: []string{"shop"}}, "", 503, "recipe shop: refused\n"},
		{&pretender{services: []control.Status{up, starting}}, "?service=web", 200, "ok\n"},
		{&pretender{services: []control.Status{up, starting}}, "?service=db", 503, "db: starting\n"},
		{&pretender{services: []control.Status{up, stopped}}, "?service=old", 503, "old: stopped\n"},
		{&pretender{services: []control.Status{up}}, "?service=nobody", 404, "there is no such service\n"},
	} {
		base := serve(t, listen(t, "127.0.0.1:0"), test.source)
		if code, _, text := get(t, http.DefaultClient, base+"/healthz"+test.query, ""); code != test.code || text != test.text {
			t.Errorf("%+v%s: got %d, %q", test.source, test.query, code, text)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "m-") // a short path
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "metrics.sock")
	serve(t, listen(t, "unix:"+path), &pretender{})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	address, err := ParseAddress("unix:" + path + ".open")
	if err != nil {
		t.Fatal(err)
	}
	open, err := address.Listen(t.Context(), control.Groups{Read: strconv.Itoa(os.Getegid())})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if info, err := os.Stat(path + ".open"); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the group that may read cannot: %v, %v", info, err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	if code, _, _ := get(t, client, "http://unix/metrics", ""); code != http.StatusOK {
		t.Errorf("it answers %d", code)
	}
}

// Clients that send half a request take the slots for requestTime, and no longer; then others are answered.
func TestHalfSentRequestsAreEnded(t *testing.T) {
	t.Parallel()
	base := serve(t, listen(t, "127.0.0.1:0"), &pretender{})
	for range connections {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /metrics HTTP/1.1\r\nHost:")
	}
	client := &http.Client{Timeout: time.Minute}
	if code, _, _ := get(t, client, base+"/healthz", ""); code != http.StatusOK {
		t.Errorf("it answers %d", code)
	}
}

func TestALongRequestIsRefused(t *testing.T) {
	t.Parallel()
	base := serve(t, listen(t, "127.0.0.1:0"), &pretender{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go fmt.Fprintf(conn, "GET /metrics HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", strings.Repeat("x", 1<<20))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "431") {
		t.Errorf("got %q, %v", line, err)
	}
}

// broken is a listener that fails.
type broken struct{ net.Listener }

var errBroken = errors.New("out of descriptors")

func (broken) Accept() (net.Conn, error) { return nil, errBroken }

func TestABrokenListenerIsReported(t *testing.T) {
	t.Parallel()
	l := listen(t, "127.0.0.1:0")
	if err := Serve(t.Context(), broken{l}, &pretender{}); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}

// pipes is a listener whose connections have no buffer: who reads nothing holds the writer up at once.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
	close  func()
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.made:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	p.close()
	return nil
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// ask sends a request for the metrics by a new connection.
func (p pipes) ask(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	p.made <- theirs
	ours.SetDeadline(time.Now().Add(answerTime / 2))
	if _, err := io.WriteString(ours, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return ours
}

func TestAReaderThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	p := pipes{made: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	serve(t, p, &pretender{})
	hangs := p.ask(t)
	if _, err := hangs.Read(make([]byte, 1)); err != nil { // it is being answered
		t.Fatal(err)
	}
	text, err := io.ReadAll(p.ask(t))
	if err != nil || !strings.Contains(string(text), "\nprocess_start_time_seconds ") {
		t.Errorf("another is answered %d bytes, %v", len(text), err)
	}
}
