package adopt

import "strings"

// entry is a setting of an ini file, in its order.
type entry struct{ section, key, value string }

// ini reads sections and settings. A line that begins with white space continues the one before where indented is set, as
// supervisord has it; a backslash at the end does where it is not, as systemd has it. Comments begin a line, with # or ;.
func ini(text string, indented bool) []entry {
	var list []entry
	section := ""
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], "\r")
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
			continue
		case indented && line != trimmed && strings.TrimLeft(line, " \t") != line && len(list) > 0:
			last := &list[len(list)-1]
			last.value = strings.TrimSpace(last.value + "\n" + uncommented(trimmed))
			continue
		case trimmed[0] == '[':
			section = strings.Trim(trimmed, "[]")
			continue
		}
		for !indented && strings.HasSuffix(trimmed, `\`) && i+1 < len(lines) {
			i++
			trimmed = strings.TrimSuffix(trimmed, `\`) + " " + strings.TrimSpace(lines[i])
		}
		key, value, _ := strings.Cut(trimmed, "=")
		value = strings.TrimSpace(value)
		if indented {
			value = uncommented(value)
		}
		list = append(list, entry{section, strings.TrimSpace(key), value})
	}
	return list
}

// uncommented cuts what supervisord takes for a comment: from " ;" on.
func uncommented(value string) string {
	if i := strings.Index(value, " ;"); i >= 0 {
		return strings.TrimSpace(value[:i])
	}
	return value
}
