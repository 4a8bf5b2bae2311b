package process

import (
	"slices"
	"strings"
	"testing"
)

// Only what lies in the file, cannot be written and never was is found: anything else would be lost.
func TestOnlyTheProgramsUnwrittenPagesAreGivenBack(t *testing.T) {
	t.Parallel()
	const smaps = `00400000-00c1d000 r-xp 00000000 fe:00 9995986                            /usr/bin/recipe
Size:               8308 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me sd
00c1d000-013e7000 r--p 0081d000 fe:00 9995986                            /usr/bin/recipe
Anonymous:             0 kB
013e7000-013e8000 r--p 00fe7000 fe:00 9995986                            /usr/bin/recipe
Anonymous:             4 kB
013e8000-0147a000 rw-p 00fe8000 fe:00 9995986                            /usr/bin/recipe
Anonymous:             0 kB
0147a000-014bd000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000001000 r--p 00000000 fe:00 12                         /usr/lib/other
Anonymous:             0 kB
7f0000002000-7f0000003000 r--p 00000000 fe:00 12                         /usr/bin/recipe (deleted)
Anonymous:             0 kB
`
	want := []mapping{
		{start: 0x400000, end: 0xc1d000, program: true}, {start: 0xc1d000, end: 0x13e7000, program: true},
		{start: 0x147a000, end: 0x14bd000, nameless: true},
	}
	if got := readMappings(strings.NewReader(smaps), "/usr/bin/recipe"); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	UnmapProgram() // and this test goes on
	if !slices.Equal(readMappings(strings.NewReader(smaps), "/usr/bin/recipe"), want) {
		t.Error("the program is another afterwards")
	}
}
