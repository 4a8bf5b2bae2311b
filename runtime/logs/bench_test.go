package logs

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"recipe/runtime/plan"
)

// BenchmarkCapture writes 100-byte lines, in pieces of 64 KiB and one by one, and waits until they are in the file. It
// writes below BENCH_DIR where that is set, so that a disk can be measured and not a RAM disk.
func BenchmarkCapture(b *testing.B) {
	line := append(bytes.Repeat([]byte("x"), 99), '\n')
	for name, piece := range map[string][]byte{
		"64KiB":  bytes.Repeat(line, 655),
		"a line": line,
	} {
		b.Run(name, func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "logs")
			if root := os.Getenv("BENCH_DIR"); root != "" {
				dir = filepath.Join(root, filepath.Base(b.Name()))
			}
			l := open(b, dir, plan.Logs{Size: 64 << 20, Keep: 2}, nil)
			b.SetBytes(int64(len(piece)))
			for b.Loop() {
				if _, err := l.Writer().Write(piece); err != nil {
					b.Fatal(err)
				}
			}
			if err := l.Drain(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(l.Stats().Dropped), "dropped")
		})
	}
}

// BenchmarkCaptureIdle shows what a line costs a service that says little.
func BenchmarkCaptureIdle(b *testing.B) {
	l, _ := start(b, plan.DefaultLogs(), nil)
	line := append(bytes.Repeat([]byte("x"), 99), '\n')
	b.ReportAllocs()
	for b.Loop() {
		l.Writer().Write(line)
		if err := l.Drain(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
