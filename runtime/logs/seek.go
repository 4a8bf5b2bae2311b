package logs

// Seek shows each whole line that is read from now on to look, without its newline and valid during the call, until look
// reports that it has seen enough; nil ends it before. It replaces who looked before. look is called while the log is held: it
// must neither block nor use the log. Nobody looks otherwise, so that what is read is not searched for lines.
func (l *Log) Seek(look func(line []byte) (enough bool)) {
	l.withPipe(func() {
		l.seek = nil
		if look == nil {
			return
		}
		enough := false
		l.seek = &splitter{emit: func(line []byte) {
			if !enough && look(line) {
				enough, l.seek = true, nil
			}
		}}
	})
}
