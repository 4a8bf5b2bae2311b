package logs

import (
	"bytes"
	"context"
	"regexp"
	"time"
)

// Query chooses lines of a log. A line of more than 64 KiB counts as several.
type Query struct {
	Lines int            // the last so many; negative for all
	Since time.Time      // not older ones; zero for all
	Match *regexp.Regexp // those alone that it is found in, as the file has them; nil for all
}

// Line is one of a log, without its newline. Time is when it was read from the daemon; where the file does not tell, that
// of the line before, or zero.
type Line struct {
	Time time.Time
	Text []byte
}

// Read calls emit with each line that is chosen of what there is, the oldest first, and then settled; after that, where
// follow is true, with each that is added, until ctx ends, which is no error. Text is emit's to keep. Since leaves out whole
// files by when they were last written to, and of the others the lines whose time is known to be earlier.
func (q Query) Read(ctx context.Context, dir, service string, follow bool, emit func(Line), settled func()) error {
	files, err := openAll(dir, service)
	if err != nil {
		return err
	}
	defer func() { files.close() }()
	for n, one := range files.list {
		if one.info.ModTime().Before(q.Since) {
			files.keep(n)
			break
		}
	}
	c := &chooser{Query: q, emit: emit}
	c.lines.emit = c.line
	if err = files.tail(-1, c); err != nil {
		return err
	}
	if !follow {
		c.end()
	}
	c.settle()
	settled()
	if !follow {
		return nil
	}
	files.keep(1)

	for looks := time.NewTicker(glance); err == nil; {
		select {
		case <-ctx.Done():
			looks.Stop()
			return nil
		case <-looks.C:
		}
		files, err = files.follow(c)
	}
	return err
}

// chooser is written a log's bytes, and emits the lines that are chosen.
type chooser struct {
	Query
	lines   splitter
	emit    func(Line)
	last    []Line // that may be among the last, a ring,
	next    int    // whose oldest is here
	settled bool
	at      time.Time
}

func (c *chooser) Write(p []byte) (int, error) {
	c.lines.deliver(&chunk{n: len(p), space: p})
	return len(p), nil
}

func (c *chooser) line(text []byte) {
	if at, ok := lineTime(text); ok {
		c.at = at
	}
	if !c.at.IsZero() && c.at.Before(c.Since) || c.Match != nil && !c.Match.Match(text) || c.Lines == 0 && !c.settled {
		return
	}
	one := Line{c.at, bytes.Clone(text)}
	switch {
	case c.settled || c.Lines < 0:
		c.emit(one)
	case len(c.last) < c.Lines:
		c.last = append(c.last, one)
	default:
		c.last[c.next] = one
		c.next = (c.next + 1) % c.Lines
	}
}

// end takes what lacks a newline for a line.
func (c *chooser) end() {
	if len(c.lines.rest) > 0 {
		c.line(c.lines.rest)
		c.lines.rest = nil
	}
}

// settle emits what turned out to be the last.
func (c *chooser) settle() {
	for i := range c.last {
		c.emit(c.last[(c.next+i)%len(c.last)])
	}
	c.last, c.settled = nil, true
}

// lineTime is the time that logs(timestamps = True) or format = "json" put into a line.
func lineTime(line []byte) (at time.Time, ok bool) {
	text, isJSON := bytes.CutPrefix(line, []byte(`{"time":"`))
	if len(text) <= len(stamp) || isJSON && text[len(stamp)] != '"' || !isJSON && text[len(stamp)] != ' ' {
		return at, false
	}
	at, err := time.Parse(stamp, string(text[:len(stamp)]))
	return at, err == nil
}

// Merge reads several services' logs, each by the query, and calls emit with the service and a line, one call at a time:
// what there is by its times, as far as they are known, and lines without in the order of the services; then what is added
// as it comes. It ends with the first error.
func (q Query) Merge(ctx context.Context, dirs map[string]string, services []string, follow bool, emit func(service string, line Line)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type from struct {
		service string
		line    Line
	}
	live, errs := make(chan from), make(chan error, len(services))
	streams := make([]chan Line, len(services))
	for i, service := range services {
		streams[i] = make(chan Line, 16)
		go func() {
			past := true
			send := func(l Line) {
				if past {
					select {
					case streams[i] <- l:
					case <-ctx.Done():
					}
					return
				}
				select {
				case live <- from{service, l}:
				case <-ctx.Done():
				}
			}
			settled := func() {
				past = false
				close(streams[i])
			}
			err := q.Read(ctx, dirs[service], service, follow, send, settled)
			if past {
				close(streams[i])
			}
			errs <- err
		}()
	}
	heads := make([]*Line, len(services))
	for {
		first := -1
		for i, stream := range streams {
			if heads[i] == nil {
				if l, ok := <-stream; ok {
					heads[i] = &l
				}
			}
			if heads[i] != nil && (first < 0 || heads[i].Time.Before(heads[first].Time)) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		emit(services[first], *heads[first])
		heads[first] = nil
	}
	for ended := 0; ended < len(services); {
		select {
		case l := <-live:
			emit(l.service, l.line)
		case err := <-errs:
			if err != nil {
				return err
			}
			ended++
		}
	}
	return nil
}
