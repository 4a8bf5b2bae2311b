package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

var levels = []string{"debug", "info", "error"}

func rank(level string) (int, error) {
	if i := slices.Index(levels, level); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%q is not a log level: %s", level, strings.Join(levels, ", "))
}

// eventLog writes one line an event: errors to stderr, the rest to stdout. It may be used concurrently.
type eventLog struct {
	mu             sync.Mutex
	stdout, stderr io.Writer
	level          string
}

func newLog(stdout, stderr io.Writer, level string) *eventLog {
	return &eventLog{stdout: stdout, stderr: stderr, level: level}
}

func (l *eventLog) setLevel(level string) (old string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old, l.level = l.level, level
	return old
}

func (l *eventLog) currentLevel() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.level
}

func (l *eventLog) printf(level, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Index(levels, level) < slices.Index(levels, l.level) {
		return
	}
	to := l.stdout
	if level == "error" {
		to = l.stderr
	}
	fmt.Fprintf(to, "%s %s %s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), level, fmt.Sprintf(format, args...))
}
