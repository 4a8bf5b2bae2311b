package interp

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"unicode/utf8"

	"recipe/builtins/diag"
)

// text is a file that a recipe read. What could not be read has no sum, and the fault that is told each time.
type text struct {
	content string
	sum     string // SHA-256 of its bytes
	fault   *diag.Diagnostic
}

// tooManyInputs counts what was loaded and what was read.
func (l *loader) tooManyInputs() bool { return len(l.modules)+len(l.texts) > mostInputs }

var tooManyInputs = fmt.Sprintf("the recipe loads and reads more than %d files", mostInputs)

// readText answers the word read: path is as the file of that name wrote it.
func (l *loader) readText(path, file string) (string, *diag.Diagnostic) {
	refuse := func(why string) (string, *diag.Diagnostic) {
		return "", &diag.Diagnostic{Code: CodeCannotRead, Message: "cannot read this file: " + why, Found: fmt.Sprintf("%q", path),
			Accepted: `"x.txt" beside this file, "//dir/x.txt" from the recipe's folder`}
	}
	here := l.keys[file]
	if standard(here) {
		return refuse("a module of the standard library reads none")
	}
	key, why := below(here, path)
	if why != "" {
		return refuse(why)
	}
	t, ok := l.texts[key]
	if !ok {
		t = l.readFile(key)
		l.texts[key] = t
	}
	if t.fault == nil {
		return t.content, nil
	}
	d := *t.fault
	d.Found = fmt.Sprintf("%q", path)
	return "", &d
}

func (l *loader) readFile(key string) text {
	if l.tooManyInputs() {
		return text{fault: &diag.Diagnostic{Code: CodeTooLarge, Message: tooManyInputs}}
	}
	data, err := l.files.Read(key, mostSource+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return text{fault: &diag.Diagnostic{Code: CodeCannotRead, Message: "there is no such file", Hint: l.neighbour(key, "")}}
	case err != nil:
		return text{fault: &diag.Diagnostic{Code: CodeCannotRead, Message: fmt.Sprintf("cannot read this file: %v", Reason(err))}}
	case len(data) > mostSource:
		return text{fault: &diag.Diagnostic{Code: CodeTooLarge, Message: fmt.Sprintf("the file is larger than %d KiB", mostSource>>10)}}
	case !utf8.Valid(data):
		return text{fault: &diag.Diagnostic{Code: CodeNotText, Message: "the file is not text in UTF-8", Hint: `what need not be looked into is named with file("x", "/...")`}}
	}
	return text{content: string(data), sum: digest(data)}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
