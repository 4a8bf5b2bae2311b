package pack

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"

	"recipe/runtime/plan"
)

// mostPlan is the most of a plan's JSON that is read, in bytes, and mostWindow the memory that a zstd stream may ask for.
const (
	mostPlan   = 64 << 20
	mostWindow = 128 << 20
)

// magic begins every ar archive, a deb among them.
const magic = "!<arch>\n"

// IsPackage reports whether a file that begins so is a package that ReadPlan may read.
func IsPackage(beginning []byte) bool { return strings.HasPrefix(string(beginning), magic) }

// ReadPlan finds the plan in a deb that this program built: /usr/share/NAME/plan.json. The stream is read once, up to the
// plan, whatever its size; memory does not grow with it.
func ReadPlan(r io.Reader) (*plan.Plan, error) {
	in := bufio.NewReader(r)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(in, head); err != nil || string(head) != magic {
		return nil, errors.New("cannot read the package: it is no deb")
	}
	for {
		name, size, err := readMember(in)
		if err == io.EOF {
			return nil, errors.New("cannot read the package: it holds no content")
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the package: %w", err)
		}
		if compression, ok := strings.CutPrefix(name, "data.tar"); ok {
			return planIn(io.LimitReader(in, size), compression)
		}
		if _, err := io.CopyN(io.Discard, in, size+size%2); err != nil {
			return nil, errors.New("cannot read the package: it ends too early")
		}
	}
}

// readMember reads the header of an ar archive's file.
func readMember(r io.Reader) (name string, size int64, err error) {
	header := make([]byte, 60)
	if _, err := io.ReadFull(r, header); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = errors.New("it ends too early")
		}
		return "", 0, err
	}
	size, err = strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
	if err != nil || size < 0 || string(header[58:]) != "`\n" {
		return "", 0, errors.New("one of its headers is garbled")
	}
	return strings.TrimRight(strings.TrimSpace(string(header[:16])), "/"), size, nil
}

func planIn(r io.Reader, compression string) (*plan.Plan, error) {
	content, err := decompressor(r, compression)
	if err != nil {
		return nil, fmt.Errorf("cannot read the package's content: %w", err)
	}
	defer content.Close()
	archive := tar.NewReader(content)
	for {
		h, err := archive.Next()
		switch {
		case err == io.EOF:
			return nil, errors.New("cannot find a plan in the package: `recipe build` puts one in")
		case err != nil:
			return nil, fmt.Errorf("cannot read the package's content: %w", err)
		}
		if found, _ := path.Match("usr/share/*/plan.json", path.Clean(h.Name)); !found || h.Typeflag != tar.TypeReg {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(archive, mostPlan+1))
		switch {
		case err != nil:
			return nil, fmt.Errorf("cannot read the package's plan: %w", err)
		case len(text) > mostPlan:
			return nil, fmt.Errorf("cannot read the package's plan: it is larger than %d MiB", mostPlan>>20)
		}
		return plan.Decode(text)
	}
}

func decompressor(r io.Reader, compression string) (io.ReadCloser, error) {
	switch compression {
	case "":
		return io.NopCloser(r), nil
	case ".gz":
		return gzip.NewReader(r)
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(mostWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("it is compressed as data.tar%s; recipe builds .gz, .zst and plain ones", compression)
}
