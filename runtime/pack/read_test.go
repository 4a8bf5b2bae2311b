package pack

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// debs gives the tour's package in every compression.
func debs(t testing.TB, dir string) map[Compression][]byte {
	t.Helper()
	all := map[Compression][]byte{}
	for _, compression := range Compressions() {
		var b bytes.Buffer
		if err := Deb(&b, Options{Plan: tour(), Dir: dir, Arch: "amd64", Compression: compression}); err != nil {
			t.Fatal(err)
		}
		all[compression] = b.Bytes()
	}
	return all
}

// TestPlanIsFoundInThePackage reads back what was built.
func TestPlanIsFoundInThePackage(t *testing.T) {
	t.Parallel()
	want, err := tour().Digest()
	if err != nil {
		t.Fatal(err)
	}
	for compression, deb := range debs(t, folder(t, 0o644, time.Now())) {
		if !IsPackage(deb) {
			t.Errorf("%s: it is not taken for a package", compression)
		}
		p, err := ReadPlan(bytes.NewReader(deb))
		if err != nil {
			t.Fatalf("%s: %v", compression, err)
		}
		if got, err := p.Digest(); got != want || err != nil {
			t.Errorf("%s: the digest is %s, not %s: %v", compression, got, want, err)
		}
	}
}

// TestGarbledPackagesAreRefused cuts a package off at many places and garbles some.
func TestGarbledPackagesAreRefused(t *testing.T) {
	t.Parallel()
	deb := debs(t, folder(t, 0o644, time.Now()))[Gzip]
	for cut := 0; cut < len(deb)*9/10; cut += 97 {
		_, err := ReadPlan(bytes.NewReader(deb[:cut]))
		if err == nil || !strings.HasPrefix(err.Error(), "cannot ") {
			t.Fatalf("cut at %d of %d: %v", cut, len(deb), err)
		}
	}
	for name, mend := range map[string]func([]byte){
		"no deb":             func(b []byte) { b[0] = 'x' },
		"a garbled header":   func(b []byte) { b[8+58] = 'x' },
		"no size":            func(b []byte) { b[8+48] = '-' },
		"another compressor": func(b []byte) { copy(b[bytes.Index(b, []byte("data.tar.gz")):], "data.tar.xz") },
	} {
		bad := bytes.Clone(deb)
		mend(bad)
		if p, err := ReadPlan(bytes.NewReader(bad)); err == nil {
			t.Errorf("%s: got a plan: %v", name, p.Name)
		}
	}
}

// FuzzReadPlan reads what claims to be a package.
func FuzzReadPlan(f *testing.F) {
	dir := f.TempDir()
	if err := os.Mkdir(dir+"/dist", 0o755); err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"dist/food", "dist/secret", "foo.conf"} {
		if err := os.WriteFile(dir+"/"+name, []byte("x"), 0o644); err != nil {
			f.Fatal(err)
		}
	}
	for _, deb := range debs(f, dir) {
		f.Add(deb)
	}
	f.Fuzz(func(t *testing.T, deb []byte) {
		if p, err := ReadPlan(bytes.NewReader(deb)); (p == nil) != (err != nil) {
			t.Errorf("a plan: %v, and an error: %v", p != nil, err)
		}
	})
}
