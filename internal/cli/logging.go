package cli

import (
	"io"
	"path/filepath"

	"candor/internal/config"
	"candor/internal/record"
)

// openLog opens the log of one of candor's own processes: lines to console,
// JSON to a file of its own, and everything to its debug ring.
func (a *app) openLog(cfg *config.Loaded, component string, console io.Writer) (*record.Log, error) {
	level, err := record.ParseLevel(cfg.Log.Level)
	if err != nil {
		return nil, err
	}
	form, err := record.ParseFormat(cfg.Log.Format)
	if err != nil {
		return nil, err
	}
	if err := makeStateDir(cfg); err != nil { // before the log's own folder in it is made
		return nil, err
	}
	dir := string(cfg.Log.Dir)
	return record.Open(record.Options{
		Component: component, Console: console, Format: form, Level: level,
		Color: !a.noColor && record.ColorFor(console, a.getenv),
		File:  filepath.Join(dir, component+".jsonl"), FileLevel: level,
		Ring: filepath.Join(dir, "ring", component), Clock: a.clk,
	})
}
