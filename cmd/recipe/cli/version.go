package cli

import (
	"fmt"
	"runtime/debug"

	"recipe/runtime/plan"
)

// version names this build, from what the Go command recorded, and the plans that it reads.
func version() string {
	name := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		name = info.Main.Version
	}
	return fmt.Sprintf("recipe %s, plan format %d", name, plan.Format)
}
