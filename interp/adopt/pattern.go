package adopt

import (
	"regexp"
	"sync"
)

// pattern compiles when first asked: this program starts for every daemon, and adopts nothing then.
func pattern(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
