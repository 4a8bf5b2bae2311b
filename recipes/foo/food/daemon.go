package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// daemon is one life of food.
type daemon struct {
	settings *settings
	argv     []string
	log      *eventLog
	working  chan struct{} // a token for each request being answered
	deaf     atomic.Bool   // TERM and INT are ignored
	hang     sync.Once
	hung     chan struct{} // closed by the stunt; nothing is answered from then on
	leaked   leak
}

func watchSignals(watched ...os.Signal) <-chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, watched...)
	return signals
}

// serve runs until a signal ends it. argv is what the daemon was started with, its own name first.
func serve(s *settings, argv []string, log *eventLog, signals <-chan os.Signal) error {
	d := &daemon{settings: s, argv: argv, log: log, working: make(chan struct{}, s.workers), hung: make(chan struct{})}
	web, err := listen(s.port, "listen", "port")
	if err != nil {
		return err
	}
	defer web.Close()
	ping, err := listen(s.pingPort, "ping", "ping-port")
	if err != nil {
		return err
	}
	defer ping.Close()
	server := &http.Server{Handler: d.routes(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(web) }()
	go d.servePing(ping)
	log.printf("info", "food %s serves http://%s and PING on %s: pid %d, %d workers, log level %s",
		version, web.Addr(), ping.Addr(), os.Getpid(), s.workers, s.level)
	if err := d.obey(signals, failed); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		log.printf("error", "ending with requests in flight")
	}
	return nil
}

// obey returns when a signal asks for the end or the server fails. A daemon that hangs obeys nothing.
func (d *daemon) obey(signals <-chan os.Signal, failed <-chan error) error {
	for {
		select {
		case err := <-failed:
			return fmt.Errorf("cannot serve: %w", err)
		case <-d.hung:
			select {}
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP:
				d.reload()
			case d.deaf.Load():
				d.log.printf("info", "ignoring %s, as told", sig)
			default:
				d.log.printf("info", "ending on %s", sig)
				return nil
			}
		}
	}
}

func (d *daemon) reload() {
	level, err := d.settings.readLevel()
	if err != nil {
		d.log.printf("error", "keeping log level %s: %v", d.log.currentLevel(), err)
		return
	}
	old := d.log.setLevel(level)
	d.log.printf(level, "log level %s, was %s", level, old) // at the new level, so that it is always seen
}

// listen names the live file's word and the option, so that the message tells where to choose another port.
func listen(port int, word, option string) (net.Listener, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: another process has the port; end it, or choose another with %q in the live file or --%s", address, word, option)
	case err != nil:
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return l, nil
}
