package metrics

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// one is a sample that was read back.
type one struct {
	name   string
	labels map[string]string
	value  float64
}

var (
	meta   = regexp.MustCompile(`^# (HELP|TYPE|UNIT) ([a-zA-Z_][a-zA-Z0-9_]*) (.*)$`)
	metric = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (\S+)$`)
	label  = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)`)
)

// suffixes of the samples of each type; a name must not have another's.
var suffixes = map[Format]map[string][]string{
	Text:        {"counter": {""}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count"}},
	OpenMetrics: {"counter": {"_total"}, "gauge": {""}, "info": {"_info"}, "histogram": {"_bucket", "_sum", "_count"}},
}

// parse reads an exposition by the grammar of its format, more strictly than scrapers do: metrics are whole, told once,
// described before their samples, and no series is there twice.
func parse(text string, format Format) (all []one, err error) {
	if format == OpenMetrics {
		var ended bool
		if text, ended = strings.CutSuffix(text, "# EOF\n"); !ended {
			return nil, errors.New("there is no end")
		}
	}
	if !strings.HasSuffix(text, "\n") {
		return nil, errors.New("the last line is not ended")
	}
	told, series := map[string]bool{}, map[string]bool{}
	family, kind := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := meta.FindStringSubmatch(line); m != nil {
			switch {
			case m[1] == "HELP" && told[m[2]]:
				return nil, fmt.Errorf("%s is told twice", m[2])
			case m[1] == "HELP":
				family, kind = m[2], ""
				told[family] = true
			case m[2] != family:
				return nil, fmt.Errorf("%s is told in the midst of %s", m[2], family)
			case m[1] == "TYPE":
				kind = m[3]
			case m[1] == "UNIT" && (format == Text || !strings.HasSuffix(family, "_"+m[3])):
				return nil, fmt.Errorf("%s has the unit %s", family, m[3])
			}
			continue
		}
		s, err := parseSample(line)
		if err != nil {
			return nil, err
		}
		fits := false
		for _, suffix := range suffixes[format][kind] {
			fits = fits || s.name == family+suffix
		}
		if !fits {
			return nil, fmt.Errorf("%s is no sample of the %s %s", s.name, kind, family)
		}
		if key := fmt.Sprint(s.name, s.labels); series[key] {
			return nil, fmt.Errorf("%s is there twice", key)
		} else {
			series[key] = true
		}
		all = append(all, s)
	}
	return all, nil
}

func parseSample(line string) (s one, err error) {
	m := metric.FindStringSubmatch(line)
	if m == nil {
		return s, fmt.Errorf("%q is no sample", line)
	}
	s = one{name: m[1], labels: map[string]string{}}
	for rest := m[2]; rest != ""; {
		l := label.FindStringSubmatch(rest)
		if l == nil {
			return s, fmt.Errorf("%q holds no label", rest)
		}
		s.labels[l[1]] = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(l[2])
		rest = rest[len(l[0]):]
	}
	s.value, err = strconv.ParseFloat(m[3], 64)
	return s, err
}
