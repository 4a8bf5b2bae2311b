package bounded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain is the child as well.
func TestMain(m *testing.M) {
	if IsChild(os.Args) {
		Serve(works)
	}
	os.Exit(m.Run())
}

var small = Limits{Memory: 128 << 20, CPU: time.Second, Wall: time.Minute, Answer: 1 << 20}

// works are the kinds of work that the tests have done.
var works = map[string]Kind{
	"double": Handle(func(_ Ask, n int) (int, error) { return 2 * n, nil }),
	"fault":  func(Ask, []byte) ([]byte, error) { return nil, errors.New("cannot do it: the moon is new") },
	"allocate at once": func(Ask, []byte) ([]byte, error) {
		sink = make([]byte, 1<<36)
		return sink[:1], nil
	},
	"allocate slowly": func(Ask, []byte) ([]byte, error) {
		var all [][]byte
		for {
			part := make([]byte, 1<<20)
			for i := range part {
				part[i] = 1
			}
			all = append(all, part)
			sink = all[0]
		}
	},
	"double memory": func(Ask, []byte) ([]byte, error) {
		sink = []byte{1}
		for {
			sink = append(sink, sink...)
		}
	},
	"make threads": func(Ask, []byte) ([]byte, error) {
		sink = bytes.Repeat([]byte{1}, int(small.Memory/4*3))
		for {
			go func() {
				runtime.LockOSThread()
				select {}
			}()
			runtime.Gosched()
		}
	},
	"leave garbage": func(Ask, []byte) ([]byte, error) {
		garbage := make([]byte, 80<<20)
		return garbage[:1], nil
	},
	"compute": func(Ask, []byte) ([]byte, error) {
		for n := uint64(1); ; n++ {
			count = n
		}
	},
	"sleep":   func(Ask, []byte) ([]byte, error) { select {} },
	"wait":    func(Ask, []byte) ([]byte, error) { time.Sleep(time.Hour); return nil, nil },
	"recurse": func(Ask, []byte) ([]byte, error) { return []byte(fmt.Sprint(recurse(1))), nil },
	"panic":   func(Ask, []byte) ([]byte, error) { panic("of the work's own") },
	"answer":  func(Ask, []byte) ([]byte, error) { return make([]byte, small.Answer+1), nil },
	"babble": func(Ask, []byte) ([]byte, error) {
		for {
			os.Stdout.Write([]byte("\xff\xff\xff\xff\xff"))
		}
	},
	"ask": func(ask Ask, _ []byte) ([]byte, error) { return ask("name", []byte("who")) },
	"ask much": func(ask Ask, _ []byte) ([]byte, error) {
		return ask("name", make([]byte, small.Answer+1))
	},
	"look around": Handle(func(_ Ask, path string) (surroundings, error) { return lookAround(path), nil }),
}

var (
	sink  []byte
	count uint64
)

func recurse(n int) int { return recurse(n+1) + n }

// surroundings are what a child can reach.
type surroundings struct {
	UID         int
	Environment []string
	Opens       string
	Dials       string
	Executes    string
	Folder      string
	Core        uint64
	Privileges  int
}

func lookAround(path string) (s surroundings) {
	_, opens := os.Open(path)
	_, dials := net.Dial("tcp", "127.0.0.1:1")
	executes := exec.Command("/bin/true").Run()
	s.UID, s.Environment, s.Opens, s.Dials, s.Executes = os.Geteuid(), os.Environ(), fmt.Sprint(opens), fmt.Sprint(dials), fmt.Sprint(executes)
	s.Folder, _ = os.Getwd()
	var core unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_CORE, &core)
	s.Core = core.Max
	s.Privileges, _ = unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	return s
}

func runner(t *testing.T, children int) *Runner {
	t.Helper()
	r := New(small, children)
	t.Cleanup(r.Close)
	return r
}

// doubles wants the runner to be of use.
func doubles(t *testing.T, r *Runner) {
	t.Helper()
	if n, err := Do[int, int](context.Background(), r, "double", 21, nil); n != 42 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

// TestWorkThatKillsItsChild has each kind of bad work done between two pieces of good work, by one runner.
func TestWorkThatKillsItsChild(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]Why{
		"allocate at once": Memory,
		"allocate slowly":  Memory,
		"make threads":     Memory,
		"compute":          CPU,
		"sleep":            Wall,
		"wait":             Wall,
		"recurse":          Depth,
		"panic":            Crashed,
		"answer":           Answer,
		"babble":           Answer,
		"ask much":         Answer,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			limits := small
			if want == Wall {
				limits.Wall = time.Second
			}
			r := New(limits, 1)
			defer r.Close()
			doubles(t, r)
			_, err := r.Do(context.Background(), kind, nil, nil)
			var ended *Ended
			if !errors.As(err, &ended) || ended.Why != want {
				t.Errorf("got %v, want an end by %s", err, want)
			}
			if text := fmt.Sprint(err); strings.Contains(text, "goroutine") || strings.Contains(text, "\n") || !strings.HasPrefix(text, "it") {
				t.Errorf("it says %q", text)
			}
			doubles(t, r)
		})
	}
}

// TestMemoryHoldsWithoutTheWatch grows by ever larger pieces, faster than the watch looks, and reads what the kernel counted.
func TestMemoryHoldsWithoutTheWatch(t *testing.T) {
	t.Parallel()
	c, err := start(small, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.do(context.Background(), "double memory", nil, nil)
	var ended *Ended
	if !errors.As(err, &ended) || ended.Why != Memory {
		t.Fatalf("got %v", err)
	}
	if peak := c.peak(); peak > small.Memory+arenas+64<<20 {
		t.Errorf("it took %d MiB", peak>>20)
	}
}

func TestChildIsStartedAhead(t *testing.T) {
	t.Parallel()
	r := New(small, 2)
	r.Start()
	doubles(t, r)
	doubles(t, r)
	r.Close()
	unused := New(small, 1)
	unused.Start()
	unused.Close()
}

func TestFaultIsTheWorksOwn(t *testing.T) {
	t.Parallel()
	r := runner(t, 1)
	for _, kind := range []string{"fault", "no such"} {
		_, err := r.Do(context.Background(), kind, nil, nil)
		var ended *Ended
		if err == nil || errors.As(err, &ended) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
	doubles(t, r)
}

// TestWorkIsNotBlamedForGarbage has work leave more than half of the memory behind, again and again.
func TestWorkIsNotBlamedForGarbage(t *testing.T) {
	t.Parallel()
	r := runner(t, 1)
	for range 5 {
		if _, err := r.Do(context.Background(), "leave garbage", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChildAsksItsParent(t *testing.T) {
	t.Parallel()
	r := runner(t, 1)
	answer, err := r.Do(context.Background(), "ask", nil, func(name string, question []byte) ([]byte, error) {
		return []byte(name + ": " + string(question)), nil
	})
	if string(answer) != "name: who" || err != nil {
		t.Errorf("got %q, %v", answer, err)
	}
	_, err = r.Do(context.Background(), "ask", nil, func(string, []byte) ([]byte, error) { return nil, errors.New("no") })
	if err == nil || err.Error() != "no" {
		t.Errorf("got %v", err)
	}
	if _, err = r.Do(context.Background(), "ask", nil, nil); err == nil {
		t.Error("nobody answers, and there is an answer")
	}
	doubles(t, r)
}

// TestChildReachesNothing holds what a child gives up. It opens neither files nor sockets, whoever called.
func TestChildReachesNothing(t *testing.T) {
	t.Setenv("SECRET", "x")
	s, err := Do[string, surroundings](context.Background(), runner(t, 1), "look around", "/etc/passwd", nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.UID == 0 || len(s.Environment) != 2 || s.Folder != "/" || s.Core != 0 || s.Privileges != 1 {
		t.Errorf("%+v", s)
	}
	for _, refused := range []string{s.Opens, s.Dials, s.Executes} {
		if !strings.Contains(refused, "too many open files") {
			t.Errorf("%+v", s)
		}
	}
}

// TestChildrenWorkAtOnce has more work done than there are children, some of it bad.
func TestChildrenWorkAtOnce(t *testing.T) {
	t.Parallel()
	r := runner(t, 2)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if i%10 == 9 {
				if _, err := r.Do(context.Background(), "panic", nil, nil); err == nil {
					t.Error("a panic is an answer")
				}
				return
			}
			if n, err := Do[int, int](context.Background(), r, "double", i, nil); n != 2*i || err != nil {
				t.Errorf("%d: got %d, %v", i, n, err)
			}
		})
	}
	all.Wait()
}

// TestInterruptEndsTheWork cancels work that would take an hour, and wants no process left.
func TestInterruptEndsTheWork(t *testing.T) {
	t.Parallel()
	r := runner(t, 1)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := r.Do(ctx, "ask", nil, func(string, []byte) ([]byte, error) { cancel(); return nil, nil })
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Do(ctx, "wait", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	doubles(t, r)
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("r\x00\x00\x00\x03abc"))
	f.Add([]byte("r\xff\xff\xff\xffabc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, got, err := readFrame(strings.NewReader(string(data)), 1024)
		if err != nil {
			return
		}
		var again strings.Builder
		if err := writeFrame(&again, kind, got); err != nil || !strings.HasPrefix(string(data), again.String()) {
			t.Errorf("%q became %q, %v", data, again.String(), err)
		}
	})
}

// BenchmarkChild is the life of a child with one piece of work; BenchmarkWork is one more piece.
func BenchmarkChild(b *testing.B) {
	for b.Loop() {
		r := New(small, 1)
		if _, err := Do[int, int](context.Background(), r, "double", 1, nil); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}

func BenchmarkWork(b *testing.B) {
	r := New(small, 1)
	defer r.Close()
	for b.Loop() {
		if _, err := Do[int, int](context.Background(), r, "double", 1, nil); err != nil {
			b.Fatal(err)
		}
	}
}
