package watch

import "fmt"

// Seen tells, of every file that is watched, what was last reported of it, in a form that another Watcher tells alike: a
// process that takes over from another compares the two. What was not taken from Events yet is left out.
func (w *Watcher) Seen() map[string]string {
	seen := map[string]string{}
	w.do(func() {
		for path, f := range w.files {
			seen[path] = fmt.Sprintf("%t %x %s", f.reported.exists, f.reported.sum, f.reported.problem)
		}
		for _, event := range w.pending {
			delete(seen, event.Path)
		}
	})
	return seen
}
