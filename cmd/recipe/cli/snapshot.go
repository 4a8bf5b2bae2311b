package cli

import "recipe/interp"

// snapshot keeps files that one recipe of a batch loaded or read, for the others: asking the parent costs as much as an
// evaluation of a small recipe. It belongs to one goroutine.
type snapshot struct {
	files map[fileName][]byte
	size  int // bytes
}

// mostSnapshot bounds what is kept, in bytes.
const mostSnapshot = 4 << 20

type fileName struct{ folder, key string }

// of gives the files of a folder, as they were when a recipe of the batch first asked for them.
func (s *snapshot) of(folder string, files interp.Files) interp.Files {
	return snapshotFiles{Files: files, snapshot: s, folder: folder}
}

type snapshotFiles struct {
	interp.Files
	*snapshot
	folder string
}

// Read keeps what is whole.
func (f snapshotFiles) Read(key string, most int) ([]byte, error) {
	name := fileName{f.folder, key}
	if data, ok := f.files[name]; ok && len(data) < most {
		return data, nil
	}
	data, err := f.Files.Read(key, most)
	if err == nil && len(data) < most {
		f.keep(name, data)
	}
	return data, err
}

// keep begins anew when it is full.
func (s *snapshot) keep(name fileName, data []byte) {
	if s.size+len(data) > mostSnapshot || s.files == nil {
		s.size, s.files = 0, map[fileName][]byte{}
	}
	s.size += len(data)
	s.files[name] = data
}
