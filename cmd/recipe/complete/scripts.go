package complete

import "embed"

//go:embed scripts
var scripts embed.FS

// Shells lists those that Script knows.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Script is what a shell reads to complete this program's lines. The shell is one of Shells.
func Script(shell string) ([]byte, error) { return scripts.ReadFile("scripts/recipe." + shell) }
