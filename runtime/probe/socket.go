package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// socket is where a probe connects to.
type socket struct {
	network string // tcp or unix
	address string // HOST:PORT, or a path
	tls     *secured
}

// secured is whom the daemon has to prove to be.
type secured struct {
	name     string
	ca       string // a file; what the host trusts when empty
	insecure bool
	speaks   []string // what is offered to be spoken inside; a daemon that wants none may refuse any
}

func resolveSocket(pr *plan.Probe, env *expr.Env) (socket, error) {
	at, _ := pr.Endpoint()
	s := socket{network: "unix"}
	host := at.Host
	if host == "" {
		host = "127.0.0.1"
	}
	if at.Unix.IsZero() {
		port, err := port(at.Port, env)
		if err != nil {
			return s, err
		}
		s.network, s.address = "tcp", net.JoinHostPort(host, strconv.Itoa(port))
	} else {
		path, err := at.Unix.Eval(env)
		if err != nil {
			return s, err
		}
		s.address = path.Text
	}
	if at.TLS == nil {
		return s, nil
	}
	s.tls = &secured{name: at.TLS.ServerName, insecure: at.TLS.Insecure}
	if s.tls.name == "" {
		s.tls.name, _, _ = strings.Cut(host, "%")
	}
	if !at.TLS.CA.IsZero() {
		path, err := at.TLS.CA.Eval(env)
		if err != nil {
			return s, err
		}
		s.tls.ca = path.Text
	}
	return s, nil
}

func port(e expr.Expr, env *expr.Env) (int, error) {
	v, err := e.Eval(env)
	switch {
	case err != nil:
		return 0, err
	case v.Kind != expr.Int:
		return 0, fmt.Errorf("the port is a %s, not a number", v.Kind)
	case v.Int < 1 || v.Int > 65535:
		return 0, fmt.Errorf("the port %d is not between 1 and 65535", v.Int)
	}
	return int(v.Int), nil
}

// short is how a probe is named after its socket: the port, or the path.
func (s socket) short() string {
	if s.network == "unix" {
		return s.address
	}
	_, port, _ := net.SplitHostPort(s.address) // which made it
	return port
}

// dial connects, with the deadline of ctx on everything that is done with the connection afterwards. The caller calls
// hangUp in the end.
func (s socket) dial(ctx context.Context, within time.Duration) (conn net.Conn, hangUp func(), err error) {
	// Addresses are tried one after another: racing them costs a goroutine and gains nothing on a local service.
	dialer := net.Dialer{KeepAlive: -1, FallbackDelay: -1, Resolver: &net.Resolver{PreferGo: true}}
	conn, err = dialer.DialContext(ctx, s.network, s.address)
	if err != nil {
		return nil, nil, fmt.Errorf("connect %s: %s", s.address, why(err, within))
	}
	// With nobody listening on a port of the ephemeral range, a connect may meet itself, and hears its own question.
	if s.network == "tcp" && conn.LocalAddr().String() == conn.RemoteAddr().String() {
		conn.Close()
		return nil, nil, fmt.Errorf("connect %s: connection refused", s.address)
	}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	plain := conn
	stop := context.AfterFunc(ctx, func() { plain.SetDeadline(time.Unix(1, 0)) })
	hangUp = func() { stop(); plain.Close() } // without TLS's own goodbye, which may block
	if s.tls != nil {
		secure, err := s.tls.shake(ctx, plain, within)
		if err != nil {
			hangUp()
			return nil, nil, fmt.Errorf("TLS with %s: %w", s.address, err)
		}
		conn = secure
	}
	return conn, hangUp, nil
}

// shake makes the handshake and judges the certificate.
func (s *secured) shake(ctx context.Context, conn net.Conn, within time.Duration) (net.Conn, error) {
	config := &tls.Config{ServerName: s.name, InsecureSkipVerify: s.insecure, NextProtos: s.speaks}
	if s.ca != "" {
		authority, err := s.authority(ctx)
		if err != nil {
			return nil, err
		}
		config.RootCAs = authority
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, s.distrust(err, within)
	}
	return secure, nil
}

// authority reads the file beside the probe, since a file system that hangs must not hold the probe.
func (s *secured) authority(ctx context.Context) (*x509.CertPool, error) {
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1)
	go func() {
		text, err := readCertificates(s.ca)
		read <- result{text, err}
	}()
	select {
	case r := <-read:
		pool := x509.NewCertPool()
		switch {
		case r.err != nil:
			return nil, fmt.Errorf("cannot read the authority %s: %s", s.ca, why(r.err, 0))
		case !pool.AppendCertsFromPEM(r.text):
			return nil, fmt.Errorf("the authority %s holds no certificate in PEM", s.ca)
		}
		return pool, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the authority %s cannot be read in time", s.ca)
	}
}

// readCertificates bounds what is read: a bundle of all the world's authorities takes 250 KiB.
func readCertificates(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 8<<20))
}

// distrust says what is wrong with a handshake, and the way out where there is one.
func (s *secured) distrust(err error, within time.Duration) error {
	var unknown x509.UnknownAuthorityError
	var named x509.HostnameError
	var invalid x509.CertificateInvalidError
	var garbled tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return errors.New("its certificate is of an authority that is not trusted (ca names another)")
	case errors.As(err, &named):
		return fmt.Errorf("its certificate is not for %s, but for %s (server_name asks for another)", s.name, strings.Join(holders(named.Certificate), ", "))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("its certificate is not valid now: it is from %s to %s", invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly))
	case errors.As(err, &garbled):
		return errors.New("the answer is not TLS")
	}
	return errors.New(strings.TrimPrefix(ending(err, within), "tls: "))
}

func holders(c *x509.Certificate) []string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		names = append(names, "nobody")
	}
	return names[:min(len(names), 5)]
}
