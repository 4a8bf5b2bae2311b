// Command food is the daemon of the tour: small, well behaved, and ready to misbehave in every way that a supervisor
// must survive.
//
//	daemon.go    one life: listen, obey signals, end
//	http.go      what it answers: /healthz, /stats, /level
//	stunts.go    POST /do/..., how it misbehaves when told to
//	ping.go      PING and PONG on the second port
//	settings.go  arguments, the config file, the live file
//	schema.go    --migrate
//
// It stays in the foreground, writes its log to stdout and errors to stderr, and rereads the log level, and only that,
// from the live file on HUP. TERM and INT end it within a second after the requests in flight. It serves the loopback
// address alone, since it does whatever anyone asks of it.
//
// Exit codes: 0 ended by a signal; 1 cannot serve; 2 wrong usage; 3 crashed as asked.
package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// version is set by the recipe's build step.
var version = "unversioned"

func main() {
	if os.Args[0] == childName {
		lingerForever()
	}
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	signals := watchSignals(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	s, err := parseArguments(args[1:])
	if err != nil {
		fmt.Fprintln(stderr, "food:", err)
		return 2
	}
	if s.migrate {
		err = migrate(os.Getenv("FOO_DATA"), stdout)
	} else if err = s.readFiles(); err == nil {
		err = serve(s, args, newLog(stdout, stderr, s.level), signals)
	}
	if err != nil {
		fmt.Fprintln(stderr, "food:", err)
		return 1
	}
	return 0
}
