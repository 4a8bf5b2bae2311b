package unit

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
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
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

// answering gives each connection of a listener to handle.
func answering(t *testing.T, l net.Listener, handle func(net.Conn)) {
	t.Helper()
	t.Cleanup(func() { l.Close() })
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

// politely answers HELO and then QUIT.
func politely(c net.Conn) {
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		io.WriteString(c, map[string]string{"HELO a\r\n": "220 a\r\n250 hello\r\n", "QUIT\r\n": "221 bye\r\n"}[line])
	}
}

// TestCheckSpeaksThroughEverySocket asks over TLS and through the path of a socket, in rounds, and with requests of every
// kind, as the native probes do.
func TestCheckSpeaksThroughEverySocket(t *testing.T) {
	t.Parallel()
	need(t, "openssl", "perl")
	dir, err := os.MkdirTemp("", "sockets") // a path of a socket is short, and nobody may look at it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	config, ca := certified(t, dir)
	listen := func(network, address string) net.Listener {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	plain, path := listen("tcp", "127.0.0.1:0"), filepath.Join(dir, "plain.sock")
	answering(t, plain, politely)
	answering(t, listen("unix", path), politely)
	secure := listen("tcp", "127.0.0.1:0")
	answering(t, tls.NewListener(secure, config), politely)
	web := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X", "y")
		if r.URL.Path == "/found" {
			w.WriteHeader(http.StatusFound)
		}
		fmt.Fprintf(w, "%s %s %q %q %q %q", r.Method, r.Host, r.Header.Get("Token"), r.Header.Get("Content-Type"), r.UserAgent(), body)
	})
	webPath, webSecure := filepath.Join(dir, "web.sock"), listen("tcp", "127.0.0.1:0")
	server := &http.Server{Handler: web, ErrorLog: log.New(io.Discard, "", 0)}
	t.Cleanup(func() { server.Close() })
	webPlain := listen("tcp", "127.0.0.1:0")
	go server.Serve(listen("unix", webPath))
	go server.Serve(webPlain)
	go server.Serve(tls.NewListener(webSecure, config))

	at := func(l net.Listener) expr.Expr { return expr.IntOf(port(l.Addr())) }
	rounds := []plan.Round{{Send: "HELO a\r\n", Expect: "220"}, {Expect: "250"}, {Send: "QUIT\r\n", Expect: "221 bye\r\n"}}
	trusted := &plan.TLS{CA: expr.PathOf(ca)}
	ok := plan.Status(200)
	for name, c := range map[string]struct {
		probe plan.Probe
		want  string // "" is healthy
	}{
		"rounds":             {plan.Probe{TCP: &plan.TCPProbe{Port: at(plain), Exchange: rounds}}, ""},
		"rounds, wrong":      {plan.Probe{TCP: &plan.TCPProbe{Port: at(plain), Exchange: []plan.Round{{Send: "HELO a\r\n", Expect: "250"}, {Expect: "220"}}}}, "no answer within"},
		"path":               {plan.Probe{TCP: &plan.TCPProbe{Unix: expr.PathOf(path), Exchange: rounds}}, ""},
		"path, connect only": {plan.Probe{TCP: &plan.TCPProbe{Unix: expr.PathOf(path), ConnectOnly: true}}, ""},
		"path, nobody there": {plan.Probe{TCP: &plan.TCPProbe{Unix: expr.PathOf(path + "x")}}, "No such file"},
		"tls":                {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: trusted, Exchange: rounds}}, ""},
		"tls, name":          {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{CA: trusted.CA, ServerName: "foo.example"}, Exchange: rounds}}, ""},
		"tls, other name":    {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{CA: trusted.CA, ServerName: "bar.example"}, Exchange: rounds}}, "found \"\""},
		"tls, not trusted":   {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{}, Exchange: rounds}}, "found \"\""},
		"tls, insecure":      {plan.Probe{TCP: &plan.TCPProbe{Port: at(secure), TLS: &plan.TLS{Insecure: true}, Exchange: rounds}}, ""},
		"http path":          {plan.Probe{HTTP: &plan.HTTPProbe{Unix: expr.PathOf(webPath), Path: "/", Status: ok, Expect: "GET localhost"}}, ""},
		"https":              {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webSecure), TLS: trusted, Path: "/", Status: ok, Expect: "GET 127.0.0.1:"}}, ""},
		"https, name":        {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webSecure), TLS: &plan.TLS{CA: trusted.CA, ServerName: "foo.example"}, Path: "/", Status: ok, Expect: "GET 127.0.0.1:"}}, ""},
		"https, other name":  {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webSecure), TLS: &plan.TLS{CA: trusted.CA, ServerName: "bar.example"}, Path: "/", Status: ok}}, "bar.example"},
		"https, not trusted": {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webSecure), TLS: &plan.TLS{}, Path: "/", Status: ok}}, "certificate"},
		"https, insecure":    {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webSecure), TLS: &plan.TLS{Insecure: true}, Path: "/", Status: ok}}, ""},
		"post": {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/", Method: "POST", Body: "a'b\n\x00c", Status: ok,
			Headers: []plan.Header{{Name: "Host", Value: "h"}, {Name: "Token", Value: "it's"}}, Expect: `POST h "it's" "" "recipe" "a'b\n\x00c"`}}, ""},
		"head":                    {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/", Method: "HEAD", Status: ok}}, ""},
		"delete":                  {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/", Method: "DELETE", Status: ok, Expect: "DELETE"}}, ""},
		"statuses":                {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/found", Status: plan.Statuses{{First: 200, Last: 200}, {First: 300, Last: 303}}}}, ""},
		"other statuses":          {plan.Probe{HTTP: &plan.HTTPProbe{Port: at(webPlain), Path: "/found", Status: plan.Statuses{{First: 200, Last: 299}, {First: 303, Last: 303}}}}, "status 302, wanted 200-299, 303"},
		"exec":                    {plan.Probe{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(`test "$PATH" && echo fine`)}}}, ""},
		"exec, fails":             {plan.Probe{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf("echo one; echo 'two  words'; exit 3")}}}, "exec: exit code 3: two  words"},
		"exec, hangs":             {plan.Probe{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/sleep"), expr.TextOf("600")}}}, "no answer within"},
		"exec, leaves one behind": {plan.Probe{Exec: &plan.ExecProbe{Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf("sleep 600 & exit 0")}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.probe.Timeout, c.probe.Every, c.probe.Failures, c.probe.Successes = 5000, 1000, 1, 1
			if strings.Contains(c.want, "no answer") {
				c.probe.Timeout = 500
			}
			out, err := once(t, c.probe)
			if (err == nil) != (c.want == "") || !strings.Contains(out, c.want) {
				t.Errorf("it said %q, %v; wanted %q", out, err, c.want)
			}
		})
	}
}

// TestCheckAsksAsTheAccount: an account that the host has may leave its group to the host, and may be in further ones.
func TestCheckAsksAsTheAccount(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root asks as another")
	}
	for name, c := range map[string]struct {
		account plan.Account
		want    string
	}{
		"the host's group": {plan.Account{Name: "daemon", Existing: true}, "daemon daemon daemon"},
		"another group":    {plan.Account{Name: "daemon", Group: "mail", Existing: true}, "daemon mail mail daemon"},
		"further groups":   {plan.Account{Name: "daemon", Groups: []string{"adm", "tty"}, Existing: true}, "daemon daemon daemon adm tty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := tour()
			p.Accounts, p.Services[0].User = []plan.Account{c.account}, c.account.Name
			command := []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(`echo $(id -un) $(id -gn) $(id -Gn); exit 1`)}
			p.Services[0].Probes = []plan.Probe{{Exec: &plan.ExecProbe{Command: command}, Timeout: 5000, Every: 1000, Failures: 1, Successes: 1}}
			script, _ := checkedPlan(t, p)
			out, _ := exec.Command(script, "once").CombinedOutput()
			if got := strings.TrimSpace(string(out)); got != "exec: exit code 1: "+c.want {
				t.Errorf("it said %q; wanted to be %q", got, c.want)
			}
		})
	}
}
