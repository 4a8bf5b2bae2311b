package control

import (
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

func passwdName(path string, uid int) (name string, ok bool) {
	want := strconv.Itoa(uid)
	_ = look(path, func(entry, number string) bool {
		if ok = number == want && entry != ""; ok {
			name = entry
		}
		return ok
	})
	return name, ok
}

// look calls enough with the name and the number of each entry of a file as /etc/passwd and /etc/group are, until that
// reports true. A line may be long: that of a group has all its members.
func look(path string, enough func(name, number string) bool) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 4)
		if len(fields) >= 3 && enough(fields[0], fields[2]) {
			return nil
		}
	}
	return nil
}
