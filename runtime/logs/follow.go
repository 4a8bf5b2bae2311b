package logs

import (
	"io"
	"os"
)

// follow writes what was added to the newest file since it was last read, and then what came after that file. It returns
// the files to go on with, and closes those that it does not return.
func (s *segments) follow(w io.Writer) (*segments, error) {
	info, err := os.Lstat(s.path)
	switch {
	case len(s.list) > 0 && (err != nil || os.SameFile(info, s.list[0].info)):
		return s, s.more(w) // also while there is no file: the writer is about to make one
	case err != nil:
		return s, nil
	}
	now, err := openPath(s.path)
	if err != nil {
		return s, err
	}
	// Whoever made the new file has done with the old one, so this is the rest of it.
	if err := s.more(w); err != nil {
		now.close()
		return s, err
	}
	now.keep(now.newerThan(s))
	if len(now.list) == 0 {
		return s, nil
	}
	s.close()
	err = now.tail(-1, w)
	now.keep(1)
	return now, err
}

// more writes what was added to the newest file.
func (s *segments) more(w io.Writer) error {
	if len(s.list) == 0 {
		return nil
	}
	newest := &s.list[0]
	info, err := newest.f.Stat()
	if err != nil {
		return s.fails(err)
	}
	if info.Size() < newest.end {
		newest.end = 0 // truncated by somebody
	}
	n, err := io.Copy(w, io.NewSectionReader(newest.f, newest.end, info.Size()-newest.end))
	newest.end += n
	if err != nil {
		return s.fails(err)
	}
	return nil
}

// newerThan counts the files that came after the newest one of before. Where that is gone, the time of its last write
// tells.
func (s *segments) newerThan(before *segments) int {
	if len(before.list) == 0 {
		return len(s.list)
	}
	last := before.list[0].info
	if info, err := before.list[0].f.Stat(); err == nil {
		last = info
	}
	newer := 0
	for _, one := range s.list {
		if os.SameFile(one.info, last) {
			return newer
		}
		if newer == 0 || one.info.ModTime().After(last.ModTime()) {
			newer++
		}
	}
	return newer
}

// keep closes all but the first n files.
func (s *segments) keep(n int) {
	for i := n; i < len(s.list); i++ {
		s.list[i].f.Close()
	}
	s.list = s.list[:min(n, len(s.list))]
}
