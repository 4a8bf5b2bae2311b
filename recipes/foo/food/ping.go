package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

// idle is how long a client may be silent.
const idle = time.Minute

func (d *daemon) servePing(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed: the daemon ends
		}
		go d.pong(conn)
	}
}

// pong answers each line PING with PONG and anything else with an error.
func (d *daemon) pong(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(idle))
	for lines := bufio.NewScanner(conn); lines.Scan(); conn.SetDeadline(time.Now().Add(idle)) {
		d.block()
		reply := "PONG"
		if line := strings.TrimSpace(lines.Text()); line != "PING" {
			reply = fmt.Sprintf("ERROR %q is not PING", line)
		}
		fmt.Fprintf(conn, "%s\r\n", reply)
	}
}
