package lint

import (
	"regexp"
	"sync"
)

// pattern compiles when first asked: this program starts for every daemon, and lints nothing then. Most texts are let pass by
// what their match must contain, so that it is not asked for them.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
