package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"candor/internal/config"
	"candor/internal/plan"
)

func (a *app) schemaVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of plans or of configuration files",
		Example: lines("candor schema plan > candor-plan.schema.json",
			"candor schema config > candor-config.schema.json"),
	}
	return parent(cmd,
		&cobra.Command{
			Use: "plan", Short: "Print the JSON Schema of plans",
			Long:    "Prints the schema that the first line of a plan can name, so that an editor completes and checks it.",
			Example: lines("candor schema plan > candor-plan.schema.json"),
			Args:    exactly(),
			RunE: func(*cobra.Command, []string) error {
				_, err := a.Out.Write(plan.Schema())
				return err
			},
		},
		&cobra.Command{
			Use: "config", Short: "Print the JSON Schema of configuration files",
			Example: lines("candor schema config > candor-config.schema.json"),
			Args:    exactly(),
			RunE: func(*cobra.Command, []string) error {
				doc, err := json.MarshalIndent(config.Schema(), "", "  ")
				if err != nil {
					return fmt.Errorf("write schema: %w", err)
				}
				_, err = fmt.Fprintf(a.Out, "%s\n", doc)
				return err
			},
		},
	)
}
