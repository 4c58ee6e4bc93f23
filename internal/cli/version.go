package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"candor"
)

// build is what this program was made from.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Protocol int    `json:"protocol"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: lines("candor version", "candor version --json"),
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := build{
				Version: version(), Protocol: candor.Protocol, Go: runtime.Version(),
				Platform: runtime.GOOS + "/" + runtime.GOARCH,
			}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					switch s.Key {
					case "vcs.revision":
						b.Revision = s.Value
					case "vcs.modified":
						b.Modified = s.Value == "true"
					}
				}
			}
			columns := []column[build]{
				{title: "VERSION", cell: func(b build) string { return b.Version }},
				{title: "REVISION", cell: func(b build) string { return orDash(b.Revision) }},
				{title: "PROTOCOL", cell: func(b build) string { return fmt.Sprint(b.Protocol) }},
				{title: "GO", cell: func(b build) string { return b.Go }},
				{title: "PLATFORM", cell: func(b build) string { return b.Platform }},
			}
			return writeOne(a, cmd, kind{one: "version"}, b, columns, func(w io.Writer, _ bool) {
				fmt.Fprintf(w, "candor %s (protocol %d, %s, %s)\n", b.Version, b.Protocol, b.Go, b.Platform)
			})
		},
	}
	addOutput(cmd)
	return cmd
}
