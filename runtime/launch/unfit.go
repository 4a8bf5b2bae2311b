package launch

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// mostLine is what the kernel reads of a script's first line.
const mostLine = 256

// unfit is why the kernel refuses to execute a program, in words. What it says itself of a program that is there is misleading
// where something else is missing, and says nothing of what the program is.
func unfit(program string, err error) string {
	if !errors.Is(err, syscall.ENOEXEC) && !errors.Is(err, syscall.ENOENT) {
		return reason(err)
	}
	file, opened := os.Open(program)
	if opened != nil {
		return reason(err)
	}
	defer file.Close()
	head := bufio.NewReaderSize(file, mostLine)
	begins, _ := head.Peek(mostLine)
	line, script := bytes.CutPrefix(begins, []byte("#!"))
	switch {
	case errors.Is(err, syscall.ENOEXEC) && len(begins) == 0:
		return "it is empty"
	case errors.Is(err, syscall.ENOEXEC):
		return format(file)
	case script:
		line, _, _ = bytes.Cut(line, []byte("\n"))
		if words := strings.FieldsFunc(string(line), func(r rune) bool { return r == ' ' || r == '\t' }); len(words) > 0 {
			return needs("interpreter", words[0], err)
		}
	default:
		if loader := loaderOf(file); loader != "" {
			return needs("loader", loader, err)
		}
	}
	return reason(err)
}

// needs says what became of that which the kernel executes in a program's place.
func needs(what, path string, err error) string {
	switch _, found := os.Stat(path); {
	case !errors.Is(found, fs.ErrNotExist):
		return reason(err)
	case strings.HasSuffix(path, "\r"):
		return "its first line ends as in DOS, with a carriage return, which is taken for a part of the interpreter's name"
	}
	return "its " + what + " " + path + " is not there"
}

// format says what a file is that the kernel takes for no program.
func format(file io.ReaderAt) string {
	program, err := elf.NewFile(file)
	if err != nil {
		return "it is neither a program for this machine nor a script that begins with #!"
	}
	defer program.Close()
	machine := strings.ToLower(strings.TrimPrefix(program.Machine.String(), "EM_"))
	return "it is a program for another machine (" + machine + "), or a damaged one"
}

// loaderOf is what loads a program's libraries, or "".
func loaderOf(file io.ReaderAt) string {
	program, err := elf.NewFile(file)
	if err != nil {
		return ""
	}
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP && part.Filesz < 4096 {
			path := make([]byte, part.Filesz)
			if _, err := part.ReadAt(path, 0); err == nil {
				path, _, _ = bytes.Cut(path, []byte{0})
				return string(path)
			}
		}
	}
	return ""
}
