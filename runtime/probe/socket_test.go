package probe

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// certified is a certificate for foo.example and 127.0.0.1, and the file of its authority, which nobody trusts yet.
func certified(t *testing.T, dir string) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	like := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, Subject: pkix.Name{CommonName: "foo"}, DNSNames: []string{"foo.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, like, like, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, path
}

// polite answers HELO, and then QUIT.
func polite(c net.Conn) {
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		io.WriteString(c, map[string]string{"HELO a\r\n": "220 a\r\n250 hello\r\n", "QUIT\r\n": "221 bye\r\n"}[line])
	}
}

func listening(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func answering(l net.Listener, handle func(net.Conn)) {
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
}

func TestSockets(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "probe") // a path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config, ca := certified(t, dir)
	path, hung := filepath.Join(dir, "plain.sock"), listening(t, "tcp", "127.0.0.1:0")
	plain, secure := listening(t, "tcp", "127.0.0.1:0"), listening(t, "tcp", "127.0.0.1:0")
	answering(plain, polite)
	answering(listening(t, "unix", path), polite)
	answering(tls.NewListener(secure, config), polite)
	binary := listening(t, "tcp", "127.0.0.1:0")
	answering(binary, func(c net.Conn) {
		question := make([]byte, 4)
		io.ReadFull(c, question)
		c.Write([]byte{0, 0xff, question[3], question[2]})
	})
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/found" {
			w.WriteHeader(http.StatusFound)
		}
		fmt.Fprintf(w, "%s %s %q %q %q", r.Method, r.Host, r.Header.Get("Token"), r.UserAgent(), body)
	})}
	t.Cleanup(func() { web.Close() })
	webPath, webSecure, webPlain := filepath.Join(dir, "web.sock"), listening(t, "tcp", "127.0.0.1:0"), listening(t, "tcp", "127.0.0.1:0")
	go web.Serve(listening(t, "unix", webPath))
	go web.Serve(tls.NewListener(webSecure, config))
	go web.Serve(webPlain)

	at := func(l net.Listener) expr.Expr { return expr.IntOf(int64(l.Addr().(*net.TCPAddr).Port)) }
	rounds := []plan.Round{{Send: "HELO a\r\n", Expect: "220"}, {Expect: "250"}, {Send: "QUIT\r\n", Expect: "221 bye\r\n"}}
	trusted, ok := &plan.TLS{CA: expr.PathOf(ca)}, plan.Status(200)
	for name, test := range map[string]struct {
		probe plan.Probe
		want  string // in the error; "" is healthy
	}{
		"rounds":                   {plan.Probe{TCP: &plan.TCPProbe{Port: at(plain), Exchange: rounds}}, ""},
		"rounds look only ahead":   {plan.Probe{TCP: &plan.TCPProbe{Port: at(plain), Exchange: []plan.Round{{Send: "HELO a\r\n", Expect: "250"}, {Expect: "220"}}}}, `found " hello\r\n", wanted "220" within 500ms`},
		"bytes":                    {plan.Probe{TCP: &plan.TCPProbe{Port: at(binary), Send: "\x00\x01\x02\xfe", Expect: "\x00\xff\xfe\x02"}}, ""},
		"path":                     {plan.Probe{TCP: &plan.TCPProbe{Unix: expr.PathOf(path), Exchange: rounds}}, ""},
		"path, nobody there":       {plan.Probe{TCP: &plan.TCPProbe{Unix: expr.PathOf(path + "x")}}, "plain.sockx: no such file or directory"},
		"tls":                      {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: trusted, Exchange: rounds}}, ""},
		"tls, name":                {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{CA: trusted.CA, ServerName: "foo.example"}, Exchange: rounds}}, ""},
		"tls, other name":          {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{CA: trusted.CA, ServerName: "bar.example"}, Exchange: rounds}}, "its certificate is not for bar.example, but for foo.example, 127.0.0.1 (server_name asks for another)"},
		"tls, not trusted":         {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{}, Exchange: rounds}}, "of an authority that is not trusted (ca names another)"},
		"tls, insecure":            {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{Insecure: true}, Exchange: rounds}}, ""},
		"tls, no authority":        {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{CA: expr.PathOf(ca + "x")}}}, "ca.pemx: no such file or directory"},
		"tls, no certificate":      {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{CA: expr.PathOf("/etc/passwd")}}}, "holds no certificate in PEM"},
		"tls with who speaks none": {plan.Probe{TCP: &plan.TCPProbe{Port: at(webPlain), TLS: trusted}}, "the answer is not TLS"},
		"tls with who hangs":       {plan.Probe{TCP: &plan.TCPProbe{Port: at(hung), TLS: trusted}}, "no answer within 500ms"},
		"http path":                {plan.Probe{HTTP: &plan.HTTPProbe{Unix: expr.PathOf(webPath), Path: "/", Status: ok, Expect: "GET localhost"}}, ""},
		"https":                    {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webSecure), TLS: trusted, Path: "/", Status: ok, Expect: "GET 127.0.0.1:"}}, ""},
		"https, name":              {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webSecure), TLS: &plan.TLS{CA: trusted.CA, ServerName: "foo.example"}, Path: "/", Status: ok, Expect: "GET 127.0.0.1:"}}, ""},
		"https, not trusted":       {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webSecure), TLS: &plan.TLS{}, Path: "/", Status: ok}}, "not trusted"},
		"post": {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/", Method: "POST", Body: "a'b\n\x00c", Status: ok,
			Headers: []plan.Header{{Name: "Host", Value: "h"}, {Name: "Token", Value: "it's"}}, Expect: `POST h "it's" "recipe" "a'b\n\x00c"`}}, ""},
		"head":           {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/", Method: "HEAD", Status: ok}}, ""},
		"statuses":       {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/found", Status: plan.Statuses{{First: 200, Last: 200}, {First: 300, Last: 303}}}}, ""},
		"other statuses": {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/found", Status: plan.Statuses{{First: 200, Last: 299}, {First: 303, Last: 303}}}}, "status 302, wanted 200-299, 303"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.probe.Timeout = 5000
			if strings.Contains(test.want, "500ms") {
				test.probe.Timeout = 500
			}
			_, err := resolve(t, test.probe).Check(t.Context())
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, wanted %q", err, test.want)
			}
		})
	}
}

// TestExec runs commands that succeed, fail, say much, hang and leave processes behind.
func TestExec(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ script, evidence, want string }{
		"last line":       {"echo one; echo two", "two", ""},
		"silent":          {"true", "", ""},
		"escapes":         {`printf 'a\033[31mb\377c\n\n'`, "a [31mb?c", ""},
		"fails":           {"echo not well >&2; exit 3", "", "/bin/sh failed with exit code 3: not well"},
		"is killed":       {"kill -9 $$", "", "/bin/sh failed with exit code 137"},
		"says much":       {"yes | head -c 10000000; echo end", "end", ""},
		"hangs":           {"echo asking; sleep 600", "", "/bin/sh did not end within 500ms: asking"},
		"leaves a child":  {"sleep 600 & echo fine", "fine", ""},
		"hides a child":   {"setsid sleep 600 & echo fine", "fine", ""},
		"ignores signals": {"trap '' TERM INT HUP; sleep 600; sleep 600", "", "/bin/sh did not end within 500ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pr := plan.Probe{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(test.script)}}, Timeout: 20_000}
			if strings.Contains(test.want, "500ms") {
				pr.Timeout = 500
			}
			evidence, err := resolve(t, pr).Check(t.Context())
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != test.want || err == nil && evidence != test.evidence {
				t.Errorf("got %q, %q; wanted %q, %q", got, evidence, test.want, test.evidence)
			}
		})
	}
}

func TestExecLeavesNoProcess(t *testing.T) {
	t.Parallel()
	mark := fmt.Sprintf("86%d.%d", os.Getpid(), time.Now().UnixNano()%1000)
	pr := plan.Probe{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf("setsid sleep " + mark + " & sleep " + mark)}}, Timeout: 300}
	if _, err := resolve(t, pr).Check(t.Context()); err == nil {
		t.Error("a command that hangs is healthy")
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		if text, _ := os.ReadFile(path); strings.Contains(string(text), "sleep\x00"+mark) {
			t.Errorf("%s is left: %q", path, text)
		}
	}
}
