package adopt

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

// quoted writes a text as a recipe does.
func quoted(s string) string {
	return starlark.String(strings.Map(func(r rune) rune {
		if r == 0 || r == '\uFFFD' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))).String()
}

func allQuoted(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quoted(s)
	}
	return out
}

// split cuts a command into words as a shell and systemd do: quotes hold words together, a backslash takes the next
// character as it is. An open quote ends with the text.
func split(text string) []string {
	var words []string
	var word strings.Builder
	open, quote := false, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			if quote == '"' && !strings.ContainsRune("\"\\$`", rune(text[i])) {
				word.WriteByte('\\')
			}
			word.WriteByte(text[i])
			open = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, open = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			if open || word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteByte(c)
		}
	}
	if open || word.Len() > 0 {
		words = append(words, word.String())
	}
	return words
}

// needsShell reports whether a line means something to a shell beyond words and quotes.
func needsShell(line string) bool {
	return strings.ContainsAny(line, "$`|&;<>()*?[]{}~#!\n") || strings.Contains(line, "=") && regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`).MatchString(line)
}

// shell is a line that a shell runs in its own place.
func shell(line string) []string {
	if !strings.HasPrefix(line, "exec ") && !strings.ContainsAny(line, "|&;\n") && !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`).MatchString(line) {
		line = "exec " + line
	}
	return []string{"/bin/sh", "-c", line}
}

// absolute has env look a program up that is named without its path: a recipe has no search path.
func (d *Draft) absolute(command []string) []string {
	switch {
	case len(command) == 0 || strings.HasPrefix(command[0], "/"):
		return command
	case strings.Contains(command[0], "/"):
		d.note("%s lies below a folder that the file does not name: spell its whole path", command[0])
		return append([]string{"/usr/bin/env"}, command...)
	}
	d.note("%s was looked up in PATH; /usr/bin/env does so now: spell its whole path if you can", command[0])
	return append([]string{"/usr/bin/env"}, command...)
}

// leaving are the options by which well-known daemons fork away, and pidfileOptions those that have them write a pidfile.
var (
	leaving        = []string{"--daemon", "--daemonize", "--daemonise", "--detach", "--fork", "--background", "-daemon", "-daemonize", "--daemonize=yes", "--daemon=true"}
	pidfileOptions = pattern(`^--?(pid|pid-?file|pid_file)(=|$)`)
)

// foreground leaves out what makes a daemon fork away or write a pidfile.
func (d *Draft) foreground(command []string) []string {
	var kept []string
	for i := 0; i < len(command); i++ {
		switch word := command[i]; {
		case i > 0 && slices.Contains(leaving, word):
			d.note("%s is left out: the daemon stays in the foreground; see that it does", word)
		case i > 0 && pidfileOptions().MatchString(word):
			d.note("%s is left out: nothing reads a pidfile", word)
			if !strings.Contains(word, "=") && i+1 < len(command) && !strings.HasPrefix(command[i+1], "-") {
				i++
			}
		default:
			kept = append(kept, word)
		}
	}
	return kept
}

// kept is what a setting's value comes to in a recipe; where that is nothing, it is said.
func (d *Draft) kept(e entry, value string) string {
	if value == "" {
		d.note("%s=%s is not carried over: its value has no fixed meaning", e.key, e.value)
	}
	return value
}

// duration turns seconds, or systemd's and supervisord's notations, into a recipe's; "" is one that has none.
func duration(text string) string {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e9 {
		if whole := int64(seconds); float64(whole) == seconds {
			return strconv.FormatInt(whole, 10) + "s"
		}
		return strconv.FormatInt(int64(seconds*1000+0.5), 10) + "ms"
	}
	total := int64(0)
	parts := durationPart().FindAllStringSubmatch(text, -1)
	if strings.Join(strings.Fields(durationPart().ReplaceAllString(text, "")), "") != "" || len(parts) == 0 {
		return ""
	}
	for _, m := range parts {
		n, err := strconv.ParseInt(m[1], 10, 32)
		unit, known := map[string]int64{"ms": 1, "msec": 1, "s": 1000, "sec": 1000, "second": 1000, "seconds": 1000, "m": 60_000, "min": 60_000, "minute": 60_000, "minutes": 60_000,
			"h": 3_600_000, "hr": 3_600_000, "hour": 3_600_000, "hours": 3_600_000, "d": 86_400_000, "day": 86_400_000, "days": 86_400_000}[m[2]]
		if err != nil || !known {
			return ""
		}
		total += n * unit
	}
	if total%1000 == 0 {
		return strconv.FormatInt(total/1000, 10) + "s"
	}
	return strconv.FormatInt(total, 10) + "ms"
}

var durationPart = pattern(`([0-9]+)\s*([a-z]+)`)

// size turns 512M and the like, of 1024, into a recipe's notation; "" is one that has none.
func size(text string) string {
	m := sizeForm().FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ""
	}
	unit := map[string]string{"": "B", "K": "KiB", "M": "MiB", "G": "GiB", "T": "TiB"}[strings.ToUpper(m[2])]
	if len(m[1]) > 10 && unit != "B" || len(m[1]) > 17 {
		return ""
	}
	return strings.TrimLeft(m[1][:len(m[1])-1], "0") + m[1][len(m[1])-1:] + unit
}

var sizeForm = pattern(`^([0-9]+)\s*([KMGTkmgt]?)i?[Bb]?$`)

// whole is an integer's own text, or "".
func whole(text string) string {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// octal is the text of permission bits without what stands before its digits, or "".
func octal(text string) string {
	text = strings.TrimPrefix(strings.TrimSpace(text), "0o")
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o7777 {
		return ""
	}
	return "0o" + strings.Repeat("0", max(0, 3-len(strconv.FormatUint(n, 8)))) + strconv.FormatUint(n, 8)
}

// isTrue reads a truth value as ini files have it.
func isTrue(text string) bool {
	return slices.Contains([]string{"1", "yes", "true", "on"}, strings.ToLower(strings.TrimSpace(text)))
}
