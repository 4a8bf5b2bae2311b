package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"recipe/runtime/plan"
)

// WaitFor is something of another's that has to be there before the daemon is started: a TCP port, a unix socket or a
// path.
type WaitFor struct {
	Host    string        `json:"host,omitempty"`
	Port    int64         `json:"port,omitempty"`
	Socket  string        `json:"socket,omitempty"`
	Path    string        `json:"path,omitempty"`
	Timeout plan.Duration `json:"timeout"`
}

const (
	lookEvery   = 100 * time.Millisecond
	connectTime = 2 * time.Second // one attempt: packets that nobody answers would take minutes
)

func (w *WaitFor) prepare(ctx context.Context, service string) error {
	what, failure, there := w.path()
	switch {
	case w.Socket != "":
		what, failure, there = w.socket()
	case w.Host != "":
		if w.Port < 1 || w.Port > 65535 {
			return fmt.Errorf("%d is not a TCP port: 1 to 65535", w.Port)
		}
		what, failure, there = w.tcp()
	}
	deadline := time.Now().Add(w.Timeout.Std())
	for said := false; !there(ctx); {
		if !said {
			fmt.Printf("run-%s: %s waits for %s\n", service, service, what)
			said = true
		}
		if !time.Now().Before(deadline) {
			return fmt.Errorf("%s within %s: see to it, or give it a longer timeout", failure, w.Timeout)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lookEvery):
		}
	}
	return nil
}

func (w *WaitFor) tcp() (what, failure string, there func(context.Context) bool) {
	what = fmt.Sprintf("TCP port %d of %s", w.Port, w.Host)
	return what, what + " took no connection", func(ctx context.Context) bool {
		return connects(ctx, "tcp", net.JoinHostPort(w.Host, strconv.FormatInt(w.Port, 10))) == nil
	}
}

// socket is content with one that takes datagrams: whoever bound it is there.
func (w *WaitFor) socket() (what, failure string, there func(context.Context) bool) {
	what = "the socket " + w.Socket
	return what, what + " took no connection", func(ctx context.Context) bool {
		err := connects(ctx, "unix", w.Socket)
		return err == nil || errors.Is(err, syscall.EPROTOTYPE)
	}
}

func (w *WaitFor) path() (what, failure string, there func(context.Context) bool) {
	return w.Path, w.Path + " did not appear", func(context.Context) bool {
		_, err := os.Stat(w.Path)
		return err == nil
	}
}

func connects(ctx context.Context, network, address string) error {
	dialer := net.Dialer{Timeout: connectTime}
	conn, err := dialer.DialContext(ctx, network, address)
	if err == nil {
		conn.Close()
	}
	return err
}
