package probe

import (
	"context"
	"net"
	"testing"
	"time"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// TestJudgeSaysWhatCheckSays gives replies to both: to one by a daemon that says them and closes the connection.
func TestJudgeSaysWhatCheckSays(t *testing.T) {
	t.Parallel()
	ping := plan.Probe{TCP: &plan.TCPProbe{Host: "127.0.0.1", Send: "PING\r\n", Expect: "PONG"}, Timeout: 10_000}
	page := plan.Probe{HTTP: &plan.HTTPProbe{Host: "127.0.0.1", Path: "/", Status: plan.Status(200), Expect: "ok"}, Timeout: 10_000}
	for _, test := range []struct {
		probe plan.Probe
		reply string
	}{
		{ping, "+PONG\r\n"}, {ping, "-ERR\r\n"}, {ping, ""}, {ping, "PO"},
		{page, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}, {page, "HTTP/1.1 200 OK\r\n\r\nno"}, {page, "HTTP/1.1 503 No\r\n\r\n"},
		{page, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nbroken off"}, {page, "+PONG\r\n"}, {page, "HTTP/1.1"}, {page, ""},
	} {
		s := serve(t, func(c net.Conn) {
			line(c)
			c.Write([]byte(test.reply))
			c.(*net.TCPConn).CloseWrite()
			drainInput(c)
		})
		at := test.probe
		if port := expr.IntOf(int64(s.port)); at.TCP != nil {
			at.TCP.Port = port
		} else {
			at.HTTP.Port = port
		}
		target, err := Resolve(&plan.Plan{}, &plan.Service{}, &at, &expr.Env{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_, checked := target.Check(ctx)
		judged := target.Judge([]byte(test.reply))
		cancel()
		if (checked == nil) != (judged == nil) || checked != nil && checked.Error() != judged.Error() {
			t.Errorf("%q: check says %v, judge says %v", test.reply, checked, judged)
		}
	}
}
