package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

const (
	greeting = "d\x00\x00\x00\n5.5.5-10.11.19-MariaDB-0+deb12u1\x00\n\x00\x00\x00mT<o=\"1o\x00\xfe\xf7\x08\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x00\\_F#z_NERLf;\x00mysql_native_password\x00"
	welcome  = "\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"
	pong     = "\x07\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"
	another  = "\x2c\x00\x00\x02\xfecaching_sha2_password\x00ABCDEFGHIJKLMNOPQRST\x00"
)

// mysqlError is the packet of an error.
func mysqlError(number byte, code int, text string) string {
	return string([]byte{byte(len(text) + 3), 0, 0, number, 0xff, byte(code), byte(code >> 8)}) + text
}

// postgresError is the message of one, with code and text.
func postgresError(code, text string) string {
	fields := "SFATAL\x00VFATAL\x00C" + code + "\x00M" + text + "\x00\x00"
	return "E\x00\x00" + string([]byte{byte((len(fields) + 4) >> 8), byte(len(fields) + 4)}) + fields
}

// TestLibraryJudgesWhatServersSay has the scripts of the standard library judge what servers say in states into which
// no test gets a real one quickly. Each text but the first is said after something has been read; "" says nothing.
func TestLibraryJudgesWhatServersSay(t *testing.T) {
	t.Parallel()
	const (
		askPassword = "R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00"
		session     = "R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x19server_version\x0015.18\x00Z\x00\x00\x00\x05I"
		row         = "T\x00\x00\x00\x06\x00\x00D\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x011C\x00\x00\x00\x0dSELECT 1\x00Z\x00\x00\x00\x05I"
		none        = "C\x00\x00\x00\x0dSELECT 0\x00Z\x00\x00\x00\x05I"
	)
	full, locked := postgresError("53300", "sorry, too many clients already"), mysqlError(2, 1045, "#28000Access denied for user 'recipe-probe'@'localhost' (using password: NO)")
	crowded := mysqlError(0, 1040, "#08004Too many connections")
	for _, c := range []struct {
		probe   string
		says    []string
		healthy bool
		want    string
	}{
		{"postgres(PORT)", []string{"", session}, true, ""},
		{"postgres(PORT)", []string{"", askPassword}, true, "asks for a password"},
		{`postgres(PORT, query = "SELECT 1")`, []string{"", session, row}, true, "1 rows"},
		{`postgres(PORT, query = "SELECT 1")`, []string{"", session, none}, false, "0 rows"},
		{`postgres(PORT, query = "SELECT 1")`, []string{"", session, postgresError("57P01", "terminating connection due to administrator command")}, false, "administrator command"},
		{`postgres(PORT, query = "SELECT 1")`, []string{"", askPassword}, false, "asks for a password"},
		{"postgres(PORT)", []string{"", postgresError("28000", `no pg_hba.conf entry for host "127.0.0.1"`)}, true, "28000: no pg_hba.conf entry"},
		{"postgres(PORT)", []string{"", postgresError("57P03", "the database system is starting up")}, false, "57P03: the database system is starting up"},
		{"postgres(PORT)", []string{"", full}, true, "too many clients"},
		{`postgres(PORT, role = "readiness")`, []string{"", full}, false, "too many clients"},
		{"postgres(PORT)", []string{"", "HTTP/1.1 400 Bad Request\r\n\r\n"}, false, "none of PostgreSQL's"},
		{"postgres(PORT)", []string{"", ""}, false, "closed the connection"},
		{"mysql(PORT)", []string{greeting, welcome, pong}, true, "10.11.19-MariaDB"},
		{`mysql(PORT, user = "probe")`, []string{greeting, another, strings.Replace(welcome, "\x02", "\x04", 1), pong}, true, ""},
		{"mysql(PORT)", []string{greeting, locked}, true, "error 1045: Access denied"},
		{`mysql(PORT, user = "probe")`, []string{greeting, locked}, false, "error 1045: Access denied"},
		{"mysql(PORT)", []string{greeting, welcome, mysqlError(1, 1053, "#08S01Server shutdown in progress")}, false, ""},
		{"mysql(PORT)", []string{crowded}, true, "error 1040: Too many connections"},
		{`mysql(PORT, role = "readiness")`, []string{crowded}, false, "error 1040: Too many connections"},
		{"mysql(PORT)", []string{mysqlError(0, 1129, "Host '127.0.0.1' is blocked because of many connection errors")}, false, "error 1129"},
		{"mysql(PORT)", []string{"\x05\x00\x00\x00\x09abcd"}, false, "protocol 9"},
		{"mysql(PORT)", []string{greeting[:40]}, false, "closed the connection"},
	} {
		module, _, _ := strings.Cut(c.probe, "(")
		t.Run(fmt.Sprintf("%s %.20q", c.probe, c.says[len(c.says)-1]), func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			call := strings.ReplaceAll(c.probe, "PORT", says(t, c.says))
			path := h.write("foo.star", fmt.Sprintf("load(\"@std//%s.star\", %[1]q)\nservice(name = \"foo\", command = [\"/usr/bin/foo\"], probes = [%s])\n", module, strings.TrimSuffix(call, ")")+`, timeout = "30s")`))
			said, errs, code := h.recipe("probe", path)
			if healthy := code == 0; healthy != c.healthy || !strings.Contains(said, c.want) {
				t.Errorf("exit code %d, wanted healthy = %v and %q in\n%s%s", code, c.healthy, c.want, said, errs)
			}
		})
	}
}

// says listens, says one text after another to whom connects, and closes the connection.
func says(t *testing.T, texts []string) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		heard := make([]byte, 4096)
		for i, text := range texts {
			if i > 0 {
				if _, err := c.Read(heard); err != nil {
					return
				}
			}
			if _, err := c.Write([]byte(text)); err != nil {
				return
			}
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}
