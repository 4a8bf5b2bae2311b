package control

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// userName is the name of a user by /etc/passwd alone. Asking the host's other name services could hang, and a name
// here only makes a record easier to read.
func userName(uid int) string {
	if name, ok := passwdName("/etc/passwd", uid); ok {
		return name
	}
	return fmt.Sprintf("user %d", uid)
}

func passwdName(path string, uid int) (string, bool) {
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	want := strconv.Itoa(uid)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) >= 3 && fields[2] == want && fields[0] != "" {
			return fields[0], true
		}
	}
	return "", false
}
