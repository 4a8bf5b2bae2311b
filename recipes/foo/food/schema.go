package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// schema is the form of the data that this food writes.
const schema = 2

// migrate brings the data directory's schema file up to date, by rename, and may be killed at any instant. Data of a
// newer food is left alone.
func migrate(data string, stdout io.Writer) error {
	if data == "" {
		return errors.New("cannot migrate: FOO_DATA does not name the data directory")
	}
	path := filepath.Join(data, "schema")
	found, err := readSchema(path)
	switch {
	case err != nil:
		return fmt.Errorf("cannot migrate: %w", err)
	case found == schema:
		return nil
	case found > schema:
		return fmt.Errorf("cannot migrate: %s is of schema %d, and food %s knows %d at most: install a newer food", path, found, version, schema)
	}
	if err := replace(path, fmt.Sprintf("%d\n", schema)); err != nil {
		return fmt.Errorf("cannot migrate: %w", err)
	}
	fmt.Fprintf(stdout, "food: migrated %s from schema %d to %d\n", data, found, schema)
	return nil
}

// readSchema is 0 where there is none yet.
func readSchema(path string) (int, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s holds %q instead of a schema number", path, text)
	}
	return n, nil
}

// replace leaves either the old file or the whole new one. The temporary name is fixed: one incarnation at a time.
func replace(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
