package complete

import "embed"

//go:embed scripts
var scripts embed.FS

// Script is what a shell reads to complete this program's lines. The shell is bash, zsh or fish.
func Script(shell string) ([]byte, error) { return scripts.ReadFile("scripts/recipe." + shell) }
