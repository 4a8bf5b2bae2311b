package pack

import (
	"archive/tar"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/pgzip"

	"recipe/runtime/contents"
	"recipe/runtime/plan"
)

// Deb writes a Debian package: an ar archive of debian-binary, the control files and the content.
func Deb(w io.Writer, o Options) error {
	o, err := o.complete()
	if err != nil {
		return err
	}
	name, err := o.debName()
	if err != nil {
		return err
	}
	if err := o.deb(w); err != nil {
		return fmt.Errorf("cannot build %s: %w", name, err)
	}
	return nil
}

func (o Options) deb(w io.Writer) error {
	sources, err := os.OpenRoot(o.Dir)
	if err != nil {
		return fmt.Errorf("cannot open the recipe's folder: %w", err)
	}
	defer sources.Close()
	listed, err := contents.List(o.Plan.Package, sources)
	if err != nil {
		return err
	}
	if err := o.checkMachines(sources, listed); err != nil {
		return err
	}
	entries, err := o.tree(sources, listed)
	if err != nil {
		return err
	}
	spool, err := os.CreateTemp(o.spool, ".recipe-data-")
	if err != nil {
		return err
	}
	defer spool.Close()
	if err := os.Remove(spool.Name()); err != nil { // the descriptor is enough
		return err
	}
	facts, err := o.writeData(spool, sources, entries)
	if err != nil {
		return err
	}
	var control bytes.Buffer
	if err := o.writeControl(&control, entries, facts); err != nil {
		return err
	}
	size, err := spool.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "!<arch>\n"); err != nil {
		return err
	}
	suffix := map[Compression]string{Gzip: ".gz", Zstd: ".zst", None: ""}[o.Compression]
	for _, m := range []struct {
		name string
		size int64
		from io.Reader
	}{
		{"debian-binary", 4, strings.NewReader("2.0\n")},
		{"control.tar" + suffix, int64(control.Len()), &control},
		{"data.tar" + suffix, size, spool},
	} {
		if err := writeMember(w, m.name, o.Epoch, m.size, m.from); err != nil {
			return err
		}
	}
	return nil
}

// debArch names architectures as Debian does.
var debArch = map[string]string{
	"386": "i386", "amd64": "amd64", "arm": "armhf", "arm64": "arm64", "loong64": "loong64", "mips64le": "mips64el",
	"mipsle": "mipsel", "ppc64le": "ppc64el", "riscv64": "riscv64", "s390x": "s390x",
}

var archForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// arch also takes Debian's own names, all among them.
func (o Options) arch() (string, error) {
	if arch, ok := debArch[o.Arch]; ok {
		return arch, nil
	}
	if !archForm.MatchString(o.Arch) {
		return "", fmt.Errorf("cannot build for the architecture %q: this is no name of one", o.Arch)
	}
	return o.Arch, nil
}

func (o Options) debName() (string, error) {
	arch, err := o.arch()
	return fmt.Sprintf("%s_%s_%s.deb", o.Plan.Package.Name, o.Plan.Package.FullVersion(), arch), err
}

// dataFacts is what the control files say about the content.
type dataFacts struct {
	md5sums   bytes.Buffer
	installed int64 // KiB, as dpkg-gencontrol counts: files rounded up, 1 for everything else
}

func (o Options) writeData(w io.Writer, sources *os.Root, entries []entry) (*dataFacts, error) {
	z, err := o.compressor(w)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	facts := &dataFacts{}
	archive := tar.NewWriter(z)
	if err := o.writeDirectory(archive, "./", 0o755); err != nil {
		return nil, err
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.dir:
			facts.installed++
			err = o.writeDirectory(archive, "."+e.path+"/", e.mode)
		case e.link != "":
			facts.installed++
			err = o.writeLink(archive, "."+e.path, e.link)
		default:
			err = o.writeFile(archive, sources, e, facts)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return facts, z.Close()
}

func (o Options) writeFile(archive *tar.Writer, sources *os.Root, e *entry, facts *dataFacts) error {
	sum := md5.New()
	var size int64
	if e.source == "" {
		size = int64(len(e.data))
		if err := archive.WriteHeader(o.header("."+e.path, e.mode, size)); err != nil {
			return err
		}
		if _, err := io.MultiWriter(archive, sum).Write(e.data); err != nil {
			return err
		}
	} else {
		f, info, err := openSource(sources, e.source)
		if err != nil {
			return err
		}
		defer f.Close()
		size = info.Size()
		if err := archive.WriteHeader(o.header("."+e.path, e.mode, size)); err != nil {
			return err
		}
		if err := copySource(io.MultiWriter(archive, sum), f, info, e.source); err != nil {
			return err
		}
	}
	facts.installed += (size + 1023) / 1024
	if !e.config {
		fmt.Fprintf(&facts.md5sums, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), e.path[1:])
	}
	return nil
}

// header is of a file of root's. GNU's form is the one that dpkg reads names and sizes of any length in.
func (o Options) header(name string, mode plan.Mode, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(mode), Size: size, ModTime: o.Epoch,
		Uname: "root", Gname: "root", Format: tar.FormatGNU}
}

func (o Options) writeDirectory(archive *tar.Writer, name string, mode plan.Mode) error {
	h := o.header(name, mode, 0)
	h.Typeflag = tar.TypeDir
	return archive.WriteHeader(h)
}

func (o Options) writeLink(archive *tar.Writer, name, target string) error {
	h := o.header(name, 0o777, 0)
	h.Typeflag, h.Linkname = tar.TypeSymlink, target
	return archive.WriteHeader(h)
}

// compressor gives the same bytes whatever the number of CPUs: blocks have a fixed size.
func (o Options) compressor(w io.Writer) (io.WriteCloser, error) {
	switch o.Compression {
	case Gzip:
		return pgzip.NewWriterLevel(w, 6)
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(2))
	case None:
		return uncompressed{w}, nil
	}
	return nil, fmt.Errorf("there is no compression %q: gzip, zstd, none", o.Compression)
}

type uncompressed struct{ io.Writer }

func (uncompressed) Close() error { return nil }

// writeMember writes one file of an ar archive.
func writeMember(w io.Writer, name string, epoch time.Time, size int64, from io.Reader) error {
	if size >= 10_000_000_000 {
		return errors.New("the content is too large: a deb holds at most 9.9 GB compressed")
	}
	if _, err := fmt.Fprintf(w, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, epoch.Unix(), 0, 0, "100644", size); err != nil {
		return err
	}
	if _, err := io.CopyN(w, from, size); err != nil {
		return err
	}
	if size%2 == 1 {
		_, err := io.WriteString(w, "\n")
		return err
	}
	return nil
}
