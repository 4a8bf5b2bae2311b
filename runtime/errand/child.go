package errand

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"unicode"

	"recipe/runtime/launch"
)

// Running tells from the arguments whether this process was started for an errand and must call Main.
func Running(arguments []string) bool { return len(arguments) == 2 && arguments[0] == name }

// Main is the life of the child. It never returns.
func Main() {
	var o orders
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		os.Exit(2) // who started us has gone
	}
	said, err := perform(&o)
	r := result{Said: said}
	if err != nil {
		r.Reason = launch.OneLine(err)
	}
	if json.NewEncoder(os.Stdout).Encode(r) != nil {
		os.Exit(2)
	}
	os.Exit(0)
}

// perform runs the command with a pipe for its output, which is read while it runs, however much that is.
func perform(o *orders) (said string, err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	kept := make(chan []byte)
	go func() { kept <- tail(read) }()
	err = o.Spec.Ask(context.Background(), o.Timeout, write)
	write.Close() // the last one that has it, since the command's tree is gone
	return lastLine(<-kept), err
}

// tail reads to the end and keeps the last bytes.
func tail(from *os.File) []byte {
	var kept []byte
	piece := make([]byte, 4096)
	for {
		n, err := from.Read(piece)
		kept = append(kept, piece[:n]...)
		kept = kept[max(0, len(kept)-2*mostSaid):]
		if err != nil {
			return kept
		}
	}
}

// lastLine is the last that says something, fit for a terminal and a journal.
func lastLine(text []byte) string {
	text = bytes.TrimSpace(text)
	line := text[bytes.LastIndexByte(text, '\n')+1:]
	line = line[:min(len(line), mostSaid)]
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(strings.ToValidUTF8(string(line), "?")))
}
