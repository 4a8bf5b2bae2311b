package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sys/unix"
)

const (
	block  = 64 << 10
	glance = 200 * time.Millisecond // between two looks of Follow
)

// Tail writes the last n lines of a service to w, from as many files as hold them; a negative n means all. Without any
// file it writes nothing.
func Tail(dir, service string, n int, w io.Writer) error {
	files, err := openAll(dir, service)
	if err != nil {
		return err
	}
	defer files.close()
	return files.tail(n, w)
}

// Follow is Tail, and then writes what is added, over rotations, until ctx ends, which is no error.
func Follow(ctx context.Context, dir, service string, n int, w io.Writer) error {
	files, err := openAll(dir, service)
	if err != nil {
		return err
	}
	err = files.tail(n, w)
	files.keep(1)
	for looks := time.NewTicker(glance); err == nil; {
		select {
		case <-ctx.Done():
			looks.Stop()
			files.close()
			return nil
		case <-looks.C:
		}
		files, err = files.follow(w)
	}
	files.close()
	return err
}

// segment is one file of a log, and how much of it is of interest or has been written.
type segment struct {
	f      *os.File
	info   os.FileInfo
	end    int64
	packed bool // f is compressed, and not read yet
}

// segments are a log's files, the newest first.
type segments struct {
	path string
	list []segment
}

func openAll(dir, service string) (*segments, error) {
	if err := checkName(service); err != nil {
		return nil, fmt.Errorf("cannot read the log of service %q: %w", service, err)
	}
	return openPath(filepath.Join(dir, service+".log"))
}

// openPath opens what there is. A rotation meanwhile makes a file appear under two names; one that is gone ends the list.
func openPath(path string) (*segments, error) {
	s := &segments{path: path}
	for n := 0; ; n++ {
		f, packed, err := openCopy(s.path, n)
		if errors.Is(err, os.ErrNotExist) && n > 0 {
			return s, nil
		}
		if errors.Is(err, os.ErrNotExist) {
			continue // between a rotation and the next write there is no file
		}
		if err == nil {
			err = s.add(f, packed)
		}
		if err != nil {
			s.close()
			return nil, fmt.Errorf("cannot read %s: %w", numbered(s.path, n), reason(err))
		}
	}
}

// openCopy opens the plain one while there is one: it is the whole of what its compressed successor will be.
func openCopy(path string, n int) (f *os.File, packed bool, err error) {
	const flags = os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err = os.OpenFile(numbered(path, n), flags, 0)
	if errors.Is(err, os.ErrNotExist) && n > 0 {
		f, err = os.OpenFile(compressed(path, n), flags, 0)
		packed = true
	}
	return f, packed, err
}

// unpack reads a compressed file into one that has no name, so that it can be read backwards.
func (one *segment) unpack() error {
	if !one.packed {
		return nil
	}
	z, err := gzip.NewReader(one.f)
	if err != nil {
		return err
	}
	plain, err := os.CreateTemp("", "recipe-log-")
	if err != nil {
		return err
	}
	err = os.Remove(plain.Name())
	if err == nil {
		one.end, err = io.Copy(plain, z)
	}
	if err != nil {
		plain.Close()
		return err
	}
	one.f.Close()
	one.f, one.packed = plain, false
	return nil
}

func (s *segments) add(f *os.File, packed bool) error {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil || len(s.list) > 0 && s.twice(info, packed) {
		f.Close()
		return err
	}
	s.list = append(s.list, segment{f, info, info.Size(), packed})
	return nil
}

// twice reports whether the file was there under its former number, or before it was compressed, which keeps its time.
func (s *segments) twice(info os.FileInfo, packed bool) bool {
	last := s.list[len(s.list)-1]
	return os.SameFile(info, last.info) || packed && !last.packed && info.ModTime().Equal(last.info.ModTime())
}

func (s *segments) close() { s.keep(0) }

// tail seeks backwards to where the last n lines start, and copies from there.
func (s *segments) tail(n int, w io.Writer) error {
	from, offset := len(s.list)-1, int64(0)
	for i, left := 0, n; n >= 0 && i < len(s.list); i++ {
		if err := s.list[i].unpack(); err != nil {
			return s.fails(err)
		}
		start, found, err := s.list[i].lastLines(left, i == 0)
		if err != nil {
			return s.fails(err)
		}
		if left -= found; left <= 0 {
			from, offset = i, start
			break
		}
	}
	for i := from; i >= 0; i-- {
		if err := s.list[i].unpack(); err != nil {
			return s.fails(err)
		}
		one := s.list[i]
		if _, err := io.Copy(w, io.NewSectionReader(one.f, offset, one.end-offset)); err != nil {
			return s.fails(err)
		}
		offset = 0
	}
	return nil
}

func (s *segments) fails(err error) error {
	return fmt.Errorf("cannot read %s: %w", s.path, reason(err))
}

// lastLines finds where the last n lines of the segment start, and how many there are up to n. An unfinished line at the
// end is one; in an older file that is a line that goes on in the next, and belongs to it.
func (one segment) lastLines(n int, newest bool) (start int64, lines int, err error) {
	if n == 0 {
		return one.end, 0, nil
	}
	buffer := make([]byte, block)
	for end := one.end; end > 0; {
		p := buffer[:min(end, block)]
		if _, err := one.f.ReadAt(p, end-int64(len(p))); err != nil && err != io.EOF {
			return 0, 0, err
		}
		if end == one.end && newest && p[len(p)-1] != '\n' {
			lines++
		}
		for at := len(p); ; {
			at = bytes.LastIndexByte(p[:at], '\n')
			if at < 0 {
				break
			}
			if lines == n {
				return end - int64(len(p)-at) + 1, n, nil
			}
			lines++
		}
		end -= int64(len(p))
	}
	return 0, lines, nil
}
