package metrics

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format is how metrics are written.
type Format string

// The formats, by their media types.
const (
	Text        Format = "text/plain; version=0.0.4; charset=utf-8"
	OpenMetrics Format = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// Write writes the whole table, a few KiB at a time.
func (s *Snapshot) Write(to io.Writer, format Format) error {
	w := &samples{to: to}
	for _, m := range Table() {
		w.head(&m, format)
		m.write(w, s)
	}
	if format == OpenMetrics {
		w.out = append(w.out, "# EOF\n"...)
	}
	w.flush(0)
	return w.err
}

// samples writes those of one metric after another. After an error it writes nothing.
type samples struct {
	to     io.Writer
	err    error
	out    []byte
	metric *Metric
}

// full is when what was gathered is written, in bytes.
const full = 16 << 10

func (w *samples) flush(least int) {
	if len(w.out) > least && w.err == nil {
		_, w.err = w.to.Write(w.out)
	}
	if len(w.out) > least {
		w.out = w.out[:0]
	}
}

// head writes what comes before the samples. OpenMetrics names a metric without what its samples have behind that.
func (w *samples) head(m *Metric, format Format) {
	w.metric = m
	name, kind := m.Name, string(m.Type)
	switch {
	case format == OpenMetrics:
		name = strings.TrimSuffix(strings.TrimSuffix(name, "_total"), "_info")
	case m.Type == Info:
		kind = string(Gauge)
	}
	w.line("# HELP ", name, " ", m.Help)
	w.line("# TYPE ", name, " ", kind)
	if format != OpenMetrics {
		return
	}
	for _, unit := range []string{"seconds", "bytes"} {
		if strings.HasSuffix(name, "_"+unit) {
			w.line("# UNIT ", name, " ", unit)
		}
	}
}

func (w *samples) line(parts ...string) {
	for _, part := range parts {
		w.out = append(w.out, part...)
	}
	w.out = append(w.out, '\n')
}

// add writes a sample with the values of the metric's labels.
func (w *samples) add(value float64, labels ...string) {
	w.sample("", labels, "")
	w.value(value)
}

func (w *samples) histogram(h *Histogram, labels ...string) {
	count := uint64(0)
	for i, n := range h.Buckets {
		count += n
		bound := "+Inf"
		if i < len(Bounds) {
			bound = strconv.FormatFloat(Bounds[i], 'f', -1, 64)
			if !strings.Contains(bound, ".") {
				bound += ".0" // as OpenMetrics wants it, so that both formats name the same series
			}
		}
		w.sample("_bucket", labels, bound)
		w.value(float64(count))
	}
	w.sample("_sum", labels, "")
	w.value(h.Sum.Seconds())
	w.sample("_count", labels, "")
	w.value(float64(count))
}

// sample writes the name and the labels; le is a histogram's, "" for none.
func (w *samples) sample(suffix string, values []string, le string) {
	w.out = append(append(w.out, w.metric.Name...), suffix...)
	separator := byte('{')
	for i, value := range values {
		w.label(separator, w.metric.Labels[i], value)
		separator = ','
	}
	if le != "" {
		w.label(separator, "le", le)
		separator = ','
	}
	if separator == ',' {
		w.out = append(w.out, '}')
	}
	w.out = append(w.out, ' ')
}

// longest label, in bytes; what is beyond it is cut.
const longest = 256

func (w *samples) label(separator byte, name, value string) {
	w.out = append(append(append(w.out, separator), name...), `="`...)
	if len(value) > longest {
		value = value[:longest]
	}
	for i, r := range value {
		switch {
		case r == '\\' || r == '"':
			w.out = append(w.out, '\\', byte(r))
		case r == '\n':
			w.out = append(w.out, `\n`...)
		case r == utf8.RuneError:
			w.out = append(w.out, "\uFFFD"...)
		default:
			w.out = append(w.out, value[i:i+utf8.RuneLen(r)]...)
		}
	}
	w.out = append(w.out, '"')
}

func (w *samples) value(v float64) {
	w.out = append(strconv.AppendFloat(w.out, v, 'g', -1, 64), '\n')
	w.flush(full)
}
