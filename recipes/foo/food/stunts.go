package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
)

// childName is argv[0] of the child that outlives its parent.
const childName = "food-child"

// stunts are the ways to misbehave:
//
//	POST /do/hang         answer nothing any more, on either port, and obey no signal but KILL
//	POST /do/crash        exit 3 in the middle of things
//	POST /do/exit?code=N  exit N
//	POST /do/leak?mib=N   take N MiB more and keep them
//	POST /do/fork         start a child that leaves the session and ignores TERM
//	POST /do/ignore-term  ignore TERM and INT from now on
func (d *daemon) stunts(mux *http.ServeMux) {
	mux.HandleFunc("POST /do/hang", func(w http.ResponseWriter, r *http.Request) {
		d.log.printf("info", "hanging, as told")
		d.hang.Do(func() { close(d.hung) })
	})
	mux.HandleFunc("POST /do/crash", func(w http.ResponseWriter, r *http.Request) {
		d.log.printf("error", "crashing, as told")
		os.Exit(3)
	})
	mux.HandleFunc("POST /do/exit", d.exit)
	mux.HandleFunc("POST /do/leak", d.leak)
	mux.HandleFunc("POST /do/fork", d.fork)
	mux.HandleFunc("POST /do/ignore-term", func(w http.ResponseWriter, r *http.Request) {
		d.log.printf("info", "ignoring TERM and INT from now on, as told")
		d.deaf.Store(true)
	})
}

func (d *daemon) exit(w http.ResponseWriter, r *http.Request) {
	code, ok := number(w, r, "code", 255)
	if !ok {
		return
	}
	d.log.printf("info", "exiting with %d, as told", code)
	os.Exit(code)
}

func (d *daemon) leak(w http.ResponseWriter, r *http.Request) {
	mib, ok := number(w, r, "mib", 1<<20)
	if !ok {
		return
	}
	for range mib {
		d.leaked.grow()
	}
	d.log.printf("info", "leaked %d MiB in all, as told", d.leaked.mib())
}

func (d *daemon) fork(w http.ResponseWriter, r *http.Request) {
	child := &exec.Cmd{Path: "/proc/self/exe", Args: []string{childName}, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	if err := child.Start(); err != nil {
		http.Error(w, fmt.Sprintf("cannot fork: %v", err), http.StatusInternalServerError)
		return
	}
	go child.Wait()
	d.log.printf("info", "child %d runs in a session of its own, as told", child.Process.Pid)
	fmt.Fprintln(w, child.Process.Pid)
}

// lingerForever is the child: only KILL ends it.
func lingerForever() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	watchSignals(syscall.SIGUSR1) // a waiter, lest the runtime call the wait below a deadlock
	select {}
}

// leak holds memory for good. Pages are touched, so that they count.
type leak struct {
	mu    sync.Mutex
	parts [][]byte
}

func (l *leak) grow() {
	part := make([]byte, 1<<20)
	for i := 0; i < len(part); i += 4096 {
		part[i] = 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts = append(l.parts, part)
}

func (l *leak) mib() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.parts)
}

// number reads a query's number from 0 to most, or answers 400.
func number(w http.ResponseWriter, r *http.Request, name string, most int) (int, bool) {
	text := r.URL.Query().Get(name)
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		http.Error(w, fmt.Sprintf("cannot use %s=%q: a whole number from 0 to %d", name, text, most), http.StatusBadRequest)
		return 0, false
	}
	return n, true
}
