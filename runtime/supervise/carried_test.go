package supervise

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// filled gives every field a value that is not its zero one, so that one that is not carried is seen to be missing.
func filled(t *testing.T, v reflect.Value, at time.Time) {
	t.Helper()
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(at.Add(time.Duration(rand.IntN(1e9)))))
	case v.Kind() == reflect.String:
		v.SetString("some text")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(7)
	case v.CanUint():
		v.SetUint(1 << 63)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			filled(t, v.Index(i), at)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name == "Config" || name == "Task" {
				continue // the plan tells
			}
			// The fields of a machine are its own, but for this test.
			filled(t, reflect.NewAt(v.Field(i).Type(), v.Field(i).Addr().UnsafePointer()).Elem(), at)
		}
	default:
		t.Fatalf("the test does not know how to fill a %s", v.Type())
	}
}

// TestNothingIsLostInTheHandingOn carries machines of which every field is set through JSON, and looks for what is another.
func TestNothingIsLostInTheHandingOn(t *testing.T) {
	every := cmp.Exporter(func(reflect.Type) bool { return true })
	for _, at := range []time.Time{time.Now(), origin} { // with the monotonic clock, and without
		var m Machine
		filled(t, reflect.ValueOf(&m).Elem(), at)
		if got := through(t, m.Carry(at)).Machine(m.Config, at); !cmp.Equal(got, m, every) {
			t.Errorf("a machine became another:\n%s", cmp.Diff(m, got, every))
		}
		var task Task
		filled(t, reflect.ValueOf(&task).Elem(), at)
		if got := through(t, task.Carry(at)).Task(task.Task, at); !cmp.Equal(got, task, every) {
			t.Errorf("a task became another:\n%s", cmp.Diff(task, got, every))
		}
	}
}

// through writes and reads.
func through[T any](t *testing.T, carried T) (again T) {
	t.Helper()
	data, err := json.Marshal(carried)
	if err == nil {
		err = json.Unmarshal(data, &again)
	}
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// TestTimesCountOnOverTheHandingOn: a second on the way is a second less to wait, and no clock that is set meanwhile matters.
func TestTimesCountOnOverTheHandingOn(t *testing.T) {
	before := time.Now()
	m := New(probed(), 1)
	m.Due = before.Add(10 * time.Second)
	handed := through(t, m.Carry(before))
	handed.Due.Wall = handed.Due.Wall.Add(365 * 24 * time.Hour) // by another clock
	after := before.Add(time.Second)
	if left := handed.Machine(m.Config, before).Due.Sub(after); left != 9*time.Second {
		t.Errorf("it is due in %s", left)
	}
	m.Due = time.Time{}
	if got := through(t, m.Carry(before)).Machine(m.Config, after); !got.Due.IsZero() {
		t.Errorf("due at %s, want never", got.Due)
	}
}
