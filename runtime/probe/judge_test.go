package probe

import (
	"context"
	"net"
	"strings"
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
		judged := target.Judge(Given{Replies: []Reply{{Text: []byte(test.reply)}}})
		cancel()
		if (checked == nil) != (judged == nil) || checked != nil && checked.Error() != judged.Error() {
			t.Errorf("%q: check says %v, judge says %v", test.reply, checked, judged)
		}
	}
}

// TestJudgeOfRounds: a daemon that speaks first, and answers line by line until it closes the connection.
func TestJudgeOfRounds(t *testing.T) {
	t.Parallel()
	for _, replies := range [][]string{
		{"220 hi\r\n", "250 ok\r\n", "221 bye\r\n"}, {"220 hi\r\n", "502 what\r\n"}, {"220 hi\r\n"}, {"421 no\r\n"}, {"220 hi\r\n", "250 ok\r\n", "2"},
	} {
		s := serve(t, func(c net.Conn) {
			for i, reply := range replies {
				if i > 0 {
					line(c)
				}
				c.Write([]byte(reply))
			}
			if len(replies) == 1 && replies[0][0] == '2' {
				line(c)
			}
			c.(*net.TCPConn).CloseWrite()
			drainInput(c)
		})
		pr := &plan.Probe{Timeout: 10_000, TCP: &plan.TCPProbe{Host: "127.0.0.1", Port: expr.IntOf(int64(s.port)),
			Exchange: []plan.Round{{Expect: "220 hi\r\n"}, {Send: "EHLO a\r\n", Expect: "250 ok\r\n"}, {Send: "QUIT\r\n", Expect: "221"}}}}
		target, err := Resolve(&plan.Plan{}, &plan.Service{}, pr, &expr.Env{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var given Given
		for _, reply := range replies {
			given.Replies = append(given.Replies, Reply{Text: []byte(reply)})
		}
		_, checked := target.Check(t.Context())
		if judged := target.Judge(given); (checked == nil) != (judged == nil) || checked != nil && checked.Error() != judged.Error() {
			t.Errorf("%q: check says %v, judge says %v", replies, checked, judged)
		}
		given.Replies[0].Silent = true
		if err := target.Judge(given); err == nil || !strings.Contains(err.Error(), "no answer within 10s") {
			t.Errorf("silence: %v", err)
		}
	}
}
