package record

import (
	"os"
	"path/filepath"
	"time"

	"github.com/DeRuina/timberjack"
)

// fileSpool is how many bytes wait for one write to the JSON file.
const fileSpool = 256 << 10

// openFile readies the rotated JSON file. timberjack opens it with the first
// write only; opening it here first makes a bad path an error of Open, and ends
// a line that an earlier process left torn.
func openFile(o Options) (*timberjack.Logger, error) {
	if err := os.MkdirAll(filepath.Dir(o.File), 0o750); err != nil {
		return nil, err
	}
	f, _, err := openAppend(o.File)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	const day = 24 * time.Hour
	return &timberjack.Logger{
		Filename:         o.File,
		MaxSize:          o.FileMegabytes,
		MaxAge:           int((o.Keep + day - 1) / day),
		MaxBackups:       o.Backups,
		RotationInterval: o.RotateEvery,
		Compression:      "gzip",
	}, nil
}
