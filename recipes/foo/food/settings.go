package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// settings are what the daemon runs with. Ports given as arguments win over those of the live file.
type settings struct {
	config, live   string // files; empty for none
	port, pingPort int
	workers        int // requests that are answered at a time
	level          string
	greeting       string // what GET / answers
	migrate        bool
}

func parseArguments(args []string) (*settings, error) {
	s := &settings{level: "info", greeting: "foo"}
	flags := flag.NewFlagSet("food", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Bool("foreground", true, "accepted for clarity: there is no background")
	flags.StringVar(&s.config, "config", "", "file with the greeting")
	flags.StringVar(&s.live, "live", "", "file with the ports and the log level; the level is reread on HUP")
	flags.IntVar(&s.port, "port", 0, "HTTP port, over the live file's")
	flags.IntVar(&s.pingPort, "ping-port", 0, "PING port, over the live file's")
	flags.IntVar(&s.workers, "workers", 4, "requests answered at a time")
	flags.BoolVar(&s.migrate, "migrate", false, "bring $FOO_DATA up to date and end")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		var usage strings.Builder
		flags.SetOutput(&usage)
		flags.PrintDefaults()
		return nil, fmt.Errorf("a daemon for trying a supervisor out\n%s", usage.String())
	} else if err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("cannot use the argument %q: food takes options alone", flags.Arg(0))
	}
	if s.workers < 1 {
		return nil, fmt.Errorf("cannot use --workers=%d: at least 1", s.workers)
	}
	return s, nil
}

// readFiles completes the settings from the config and the live file, then from the defaults.
func (s *settings) readFiles() error {
	config, err := readWords(s.config, "greeting")
	if err != nil {
		return err
	}
	live, err := readWords(s.live, "listen", "ping", "log-level")
	if err != nil {
		return err
	}
	if text, ok := config["greeting"]; ok {
		s.greeting = text
	}
	if text, ok := live["log-level"]; ok {
		s.level = text
	}
	if _, err := rank(s.level); err != nil {
		return fmt.Errorf("cannot use %s: %w", s.live, err)
	}
	if s.port, err = port(s.port, live["listen"], 8080); err != nil {
		return fmt.Errorf("cannot use %s: listen: %w", s.live, err)
	}
	if s.pingPort, err = port(s.pingPort, live["ping"], 7007); err != nil {
		return fmt.Errorf("cannot use %s: ping: %w", s.live, err)
	}
	return nil
}

// readLevel rereads the log level alone.
func (s *settings) readLevel() (string, error) {
	live, err := readWords(s.live, "listen", "ping", "log-level")
	if err != nil {
		return "", err
	}
	level, ok := live["log-level"]
	if !ok {
		return "", fmt.Errorf("cannot reread the log level: %q has no line log-level", s.live)
	}
	_, err = rank(level)
	return level, err
}

func port(argument int, word string, fallback int) (int, error) {
	if argument != 0 {
		return argument, nil
	}
	if word == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%q is not a port: 1 to 65535", word)
	}
	return n, nil
}

// readWords reads lines of a known word, a space and the rest; empty lines and those that start with # mean nothing.
func readWords(path string, known ...string) (map[string]string, error) {
	words := map[string]string{}
	if path == "" {
		return words, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read settings: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if !slices.Contains(known, word) {
			return nil, fmt.Errorf("%s:%d: unknown word %q; known: %s", path, n, word, strings.Join(known, ", "))
		}
		words[word] = strings.TrimSpace(rest)
	}
	return words, lines.Err()
}
