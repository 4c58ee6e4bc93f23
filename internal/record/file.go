package record

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/DeRuina/timberjack"

	"candor/internal/clock"
)

// fileSpool is how many bytes wait for one write to the JSON file.
const fileSpool = 256 << 10

// openFile readies the rotated JSON file. timberjack opens it with the first
// write only; opening it here first makes a bad path an error of Open, and ends
// a line that an earlier process left torn.
func openFile(o Options) (*logFile, error) {
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
	return &logFile{clock: o.Clock, looked: o.Clock.Now(), Logger: &timberjack.Logger{
		Filename:         o.File,
		MaxSize:          o.FileMegabytes,
		MaxAge:           int((o.Keep + day - 1) / day),
		MaxBackups:       o.Backups,
		RotationInterval: o.RotateEvery,
		Compression:      "gzip",
	}}, nil
}

// lookEvery is how often the file is looked for in its place.
const lookEvery = time.Second

// logFile is the rotated file. One that somebody removed is made again: lines
// written to what has no name any more would be read by nobody.
type logFile struct {
	*timberjack.Logger
	clock  clock.Clock
	looked time.Time
}

func (f *logFile) Write(p []byte) (int, error) {
	if now := f.clock.Now(); now.Sub(f.looked) >= lookEvery {
		f.looked = now
		if f.removed() {
			if err := f.Rotate(); err != nil {
				return 0, err
			}
		}
	}
	return f.Logger.Write(p)
}

// removed tells whether the file alone is gone. A folder that was moved away, or
// with all that is in it, is not made again: it may be put back.
func (f *logFile) removed() bool {
	_, err := os.Lstat(f.Filename)
	_, folder := os.Stat(filepath.Dir(f.Filename))
	return errors.Is(err, fs.ErrNotExist) && folder == nil
}
