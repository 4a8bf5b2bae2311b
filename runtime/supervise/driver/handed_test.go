package driver

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

const handedRole = "serve what you were handed"

// serveHanded answers at every socket that it finds with its pid and the socket's name, and writes a first line about all
// that it was told of them.
func serveHanded() {
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	count, _ := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	fmt.Printf("handed %d, mine %t, named %d\n", count, os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()), len(names))
	for i := range count {
		answer := fmt.Sprintf("%d %s\n", os.Getpid(), names[i])
		file := os.NewFile(uintptr(3+i), names[i])
		if l, err := net.FileListener(file); err == nil {
			go accept(l, answer)
		} else if c, err := net.FilePacketConn(file); err == nil {
			go reply(c, answer)
		} else {
			fmt.Printf("socket %s: %v\n", names[i], err)
		}
	}
	select {}
}

func accept(l net.Listener, answer string) {
	for {
		c, err := l.Accept()
		if err != nil {
			fmt.Println(err)
			return
		}
		c.Write([]byte(answer))
		c.Close()
	}
}

func reply(c net.PacketConn, answer string) {
	for {
		_, from, err := c.ReadFrom(make([]byte, 10))
		if err != nil {
			fmt.Println(err)
			return
		}
		c.WriteTo([]byte(answer), from)
	}
}
