package flags

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// A secret is in a file of its own: `password=@/etc/foo/password` names it, in the flags file or after --set. Where
// neither does, it is the credential of that name in $CREDENTIALS_DIRECTORY, which systemd's LoadCredential= fills.
//
//   - The file holds one line of text, with or without a line end behind it, of at most 64 KiB.
//   - It is root's or that of whoever starts the service, and nobody else may read or write it. Who may use a credential is
//     for the init to say.
//   - No message shows what is in it, nor what somebody wrote in the place of its path.

// MaxSecret is the greatest size of a secret's file in bytes.
const MaxSecret = 64 << 10

// secretPath reads what an operator writes for a secret.
func secretPath(name, text string) (expr.Value, error) {
	path, ok := strings.CutPrefix(text, "@")
	if !ok || expr.CheckPath(path) != nil {
		return expr.Value{}, fmt.Errorf("it is a secret, whose value is not written here: write %s=@/PATH, an absolute path of a file that holds it", name)
	}
	return expr.Value{Kind: expr.Path, Text: path}, nil
}

// secretFile is where a secret lies. Path is empty when nothing says where; err is then what to do.
type secretFile struct {
	flag       *plan.Flag
	path       string
	origin     string
	credential bool
	flags      string // the flags file
}

func (s *settings) secretFile(f *plan.Flag) *secretFile {
	file := &secretFile{flag: f, flags: s.file}
	if one, set := s.of[f.Name]; set {
		env := expr.Env{Root: s.root}
		file.path, file.origin = env.Rooted(one.Value.Text), one.Origin
		return file
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if !filepath.IsAbs(dir) {
		return file
	}
	if path := filepath.Join(dir, f.Name); exists(path) {
		file.path, file.origin, file.credential = path, "credential", true
	}
	return file
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// SecretFiles are the paths of the files that secrets are read from, as far as the flags file and sets can be read.
func SecretFiles(p *plan.Plan, root string, sets []string) []string {
	s, err := collect(p, root, sets)
	if err != nil {
		return nil
	}
	var paths []string
	for i := range p.Flags {
		if f := &p.Flags[i]; f.Secret {
			if file := s.secretFile(f); file.path != "" {
				paths = append(paths, file.path)
			}
		}
	}
	return paths
}

// read is the secret, or why it cannot be had.
func (s *secretFile) read() (expr.Value, error) {
	if s.path == "" {
		return expr.Value{}, s.unset()
	}
	data, err := s.open()
	if err != nil {
		return expr.Value{}, fmt.Errorf("the file %s %w", s.path, err)
	}
	v := expr.Value{Kind: expr.Text, Text: strings.TrimSuffix(string(data), "\n")}
	err = oneLine(v.Text)
	if err == nil {
		err = s.flag.Accept(v)
	}
	if err != nil {
		return expr.Value{}, fmt.Errorf("the file %s: %w", s.path, err)
	}
	return v, nil
}

func oneLine(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		if err := characters(line); err != nil {
			return err
		}
	}
	switch {
	case text == "":
		return errors.New("it is empty")
	case strings.Contains(text, "\n"):
		return errors.New("it holds more than one line")
	}
	return nil
}

func (s *secretFile) open() ([]byte, error) {
	f, err := os.OpenFile(s.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, errNotRead
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, errNotRead
	}
	if err := s.private(info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSecret+1))
	if err != nil {
		return nil, errNotRead
	}
	if len(data) > MaxSecret {
		return nil, errors.New("is larger than 64KiB")
	}
	return data, nil
}

var errNotRead = errors.New("is not there, or cannot be read")

// look is what there is to say against the file without reading it, by whoever may not.
func (s *secretFile) look() error {
	if s.path == "" {
		return s.unset()
	}
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil
	case err != nil:
		err = errNotRead
	default:
		err = s.private(info)
	}
	if err != nil {
		return fmt.Errorf("the file %s %w", s.path, err)
	}
	return nil
}

func (s *secretFile) unset() error {
	return fmt.Errorf("is not set: write %s=@/PATH, the path of a file that holds it, in %s, or give the service a credential of that name", s.flag.Name, s.flags)
}

// private refuses what is no file, or one that another may read or may have written.
func (s *secretFile) private(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("is not a regular file")
	}
	if s.credential {
		return nil
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 0 && owner != uint32(os.Geteuid()) {
		return fmt.Errorf("belongs to another user, who could change it: chown %d %s", os.Geteuid(), s.path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("can be read or written by others: chmod 600 %s", s.path)
	}
	return nil
}
