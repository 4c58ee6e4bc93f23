// Command candor runs batches of work on your own machines, and can always say
// why something does not run. See docs/cli.md.
package main

import (
	"context"
	"os"

	"candor/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
