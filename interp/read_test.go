package interp

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"recipe/runtime/plan"
)

// TestReadFilesAreInputs reads beside the recipe, beside a module, from the recipe's folder, and one file in three ways.
func TestReadFilesAreInputs(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"recipe.star": `load("lib/m.star", "texts", "more")` + "\n" + `all = texts + more() + [read("a.txt"), read("lib/../a.txt"), read("lib/m.star")]` + "\n" +
			`service(name = "x", command = ["/x"] + [t.strip() for t in all], probes = [http(80)])` + "\n",
		"a.txt":      "here\r\n",
		"lib/m.star": "texts = [read(\"b.txt\"), read(\"//a.txt\")]\ndef more():\n    return [read(\"c.txt\")]\n",
		"lib/b.txt":  "beside the module",
		"lib/c.txt":  "when it is called",
		"lib/d.txt":  "not read",
	})
	p, list := Evaluate(filepath.Join(dir, "recipe.star"), Options{})
	if p == nil {
		t.Fatal(list)
	}
	var want []plan.Input
	for _, name := range []string{"a.txt", "lib/b.txt", "lib/c.txt", "lib/m.star"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, plan.Input{Path: name, SHA256: fmt.Sprintf("%x", sha256.Sum256(data))})
	}
	if fmt.Sprint(p.Inputs) != fmt.Sprint(want) {
		t.Errorf("the inputs are %v, want %v", p.Inputs, want)
	}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`"here"`, `"beside the module"`, `"when it is called"`, `texts = [`} {
		if !strings.Contains(string(data), text) {
			t.Errorf("%s is not in the plan:\n%s", text, data)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("there"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, _ := p.Digest()
	changed, _ := Evaluate(filepath.Join(dir, "recipe.star"), Options{})
	if after, _ := changed.Digest(); after == before {
		t.Error("a file has changed, and the digest has not")
	}
}

// TestReadStaysInTheFolder tries every way out, and what is no file.
func TestReadStaysInTheFolder(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"in/large.txt": strings.Repeat("a", mostSource+1), "in/latin.txt": "gr\xfcn", "in/dir/x": "", "out.txt": "outside", "in/fine.txt": "fine"})
	in := filepath.Join(dir, "in")
	for name, target := range map[string]string{"link.txt": "../out.txt", "absolute.txt": filepath.Join(dir, "out.txt"), "up": "..", "loop": "loop", "zero": "/dev/zero", "within.txt": "fine.txt"} {
		if err := os.Symlink(target, filepath.Join(in, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(in, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, code := range map[string]string{
		"../out.txt": CodeCannotRead, "//../out.txt": CodeCannotRead, "/etc/passwd": CodeCannotRead, filepath.Join(in, "fine.txt"): CodeCannotRead,
		"link.txt": CodeCannotRead, "absolute.txt": CodeCannotRead, "up/out.txt": CodeCannotRead, "loop": CodeCannotRead, "zero": CodeCannotRead, "pipe": CodeCannotRead,
		"dir": CodeCannotRead, "": CodeCannotRead, ".": CodeCannotRead, "none.txt": CodeCannotRead, "fine.txt/x": CodeCannotRead, "a\\\\b": CodeCannotRead,
		"large.txt": CodeTooLarge, "latin.txt": CodeNotText, "fine.txt": "", "within.txt": "", "dir/../fine.txt": "",
	} {
		p, list := EvaluateBytes(filepath.Join(in, "x.star"), []byte(fmt.Sprintf("x = read(\"%s\")\n", path)+small), Options{})
		if codes(list) != code && !(code == CodeCannotRead && codes(list) == plan.CodeMissing) {
			t.Errorf("%s: got %q, want %q:\n%s", path, codes(list), code, list)
		}
		if p != nil && (len(p.Inputs) != 1 || p.Inputs[0].Path != strings.TrimPrefix(path, "dir/../")) {
			t.Errorf("%s: the inputs are %v", path, p.Inputs)
		}
	}
}
