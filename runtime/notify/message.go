// Package notify hears what daemons say of themselves: by the protocol of sd_notify(3), whose datagrams come through a socket
// of the service's, and by that of s6, a newline on a descriptor.
//
// Rules:
//   - One goroutine hears for all services, parked in the poller while none speaks. A service costs a descriptor.
//   - Who speaks is what the kernel says (SCM_CREDENTIALS). Whom the Listener does not know is a stranger: what it says is
//     dropped and counted.
//   - A message is bounded: 4096 bytes, as systemd reads; what is longer is dropped and counted as well. Descriptors that come
//     along are closed once the message has been heard: that is what BARRIER=1 waits for.
//   - One that speaks without end is heard 500 times a second, and holds up nobody but itself.
//   - Nothing that is said is obeyed here: a Listener decides.
//
// Tests: a fuzz target for messages, real sockets with strangers in a process of their own, floods, descriptors.
package notify

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// longest is the bytes of a message.
const longest = 4096

// longestStatus is the bytes that are kept of a STATUS.
const longestStatus = 256

// longestExtension bounds an EXTEND_TIMEOUT_USEC, so that no arithmetic with it fails.
const longestExtension = 24 * time.Hour

// Message is what one datagram says.
type Message struct {
	Ready     bool
	Reloading bool
	Stopping  bool
	Alive     bool          // WATCHDOG=1
	Hung      bool          // WATCHDOG=trigger
	Extend    time.Duration // EXTEND_TIMEOUT_USEC; 0 where it is not asked for
	Status    *string       // STATUS, of printable characters; nil where it is not said
	Failure   string        // ERRNO, BUSERROR or EXIT_STATUS, for people
	Refused   []string      // what is not done, each with the reason
}

// Parse reads a message. What it does not know is nothing, as the protocol has it.
func Parse(text []byte) (m Message) {
	for line := range strings.SplitSeq(string(text), "\n") {
		name, value, ok := strings.Cut(line, "=")
		if ok {
			m.assign(name, value)
		}
	}
	return m
}

func (m *Message) assign(name, value string) {
	switch name {
	case "READY":
		m.Ready = m.Ready || value == "1"
	case "RELOADING":
		m.Reloading = m.Reloading || value == "1"
	case "STOPPING":
		m.Stopping = m.Stopping || value == "1"
	case "WATCHDOG":
		m.Alive = m.Alive || value == "1"
		m.Hung = m.Hung || value == "trigger"
	case "EXTEND_TIMEOUT_USEC":
		m.Extend = extension(value)
	case "STATUS":
		status := Printable(value, longestStatus)
		m.Status = &status
	case "ERRNO":
		if n, err := strconv.Atoi(value); err == nil && n > 0 && n < 4096 {
			m.Failure = fmt.Sprintf("ERRNO=%d, %s", n, syscall.Errno(n).Error())
		}
	case "BUSERROR":
		m.Failure = "BUSERROR=" + Printable(value, longestStatus)
	case "EXIT_STATUS":
		if n, err := strconv.Atoi(value); err == nil && n >= 0 && n < 256 {
			m.Failure = fmt.Sprintf("EXIT_STATUS=%d", n)
		}
	default:
		if reason := refusals[name]; reason != "" {
			m.Refused = append(m.Refused, name+" is not obeyed: "+reason)
		}
	}
}

// refusals are what systemd does and is not done here, with the reason.
var refusals = map[string]string{
	"MAINPID":       "the daemon is whom the supervisor started, and nobody else",
	"MAINPIDFDID":   "the daemon is whom the supervisor started, and nobody else",
	"FDSTORE":       "no descriptors are kept; listen has sockets that stay open over restarts",
	"FDSTOREREMOVE": "no descriptors are kept; listen has sockets that stay open over restarts",
	"WATCHDOG_USEC": "the recipe says how often the daemon has to say that it is alive",
	"NOTIFYACCESS":  "whoever belongs to the service may speak for it, and nobody else",
}

func extension(value string) time.Duration {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(min(n, uint64(longestExtension/time.Microsecond))) * time.Microsecond
}

// Printable is the text's beginning, of so many bytes, with a question mark in place of what is no printable character.
func Printable(text string, most int) string {
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, text)
}
