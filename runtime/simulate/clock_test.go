package simulate

import (
	"testing"
	"time"
	"unsafe"
)

// bothClocks makes a time as time.Now does, with a wall clock and a monotonic one that somebody has moved apart. Package
// time has no way to make one.
func bothClocks(now, skew time.Duration) time.Time {
	wall := start.Add(now + skew)
	t := struct {
		wall uint64 // 1 bit for the monotonic clock, 33 of seconds since 1885, 30 of nanoseconds
		ext  int64  // monotonic, nanoseconds
		loc  *time.Location
	}{1<<63 | uint64(wall.Unix()-since1885)<<30 | uint64(wall.Nanosecond()), int64(now) + 1, time.UTC}
	return *(*time.Time)(unsafe.Pointer(&t))
}

var since1885 = time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

func TestBothClocks(t *testing.T) {
	a, b := bothClocks(time.Minute, 0), bothClocks(2*time.Minute, -24*time.Hour+5)
	if d := b.Sub(a); d != time.Minute {
		t.Errorf("by the monotonic clock %s have passed", d)
	}
	if d := b.Round(0).Sub(a.Round(0)); d != time.Minute-24*time.Hour+5 {
		t.Errorf("by the wall clock %s have passed", d)
	}
	if want := start.Add(time.Minute); !a.Round(0).Equal(want) {
		t.Errorf("the wall clock shows %s, wanted %s", a, want)
	}
}
