// Command recipe turns one Starlark file that describes a service into packages, init units and a supervised daemon.
package main

import (
	"os"

	"recipe/cmd/recipe/cli"
)

func main() { os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
