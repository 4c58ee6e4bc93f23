package process

import "io"

// ReadProgress returns the last valid line of a progress file, nil when there
// is none. Each line is "done total [note]" or "done [note]"; anything else is
// passed over. Only the last few KiB are read, only from a regular file.
func ReadProgress(path string) (*Progress, error) { return nil, errTODO }

// AppendProgress adds one line to a progress file, for `candor progress`.
func AppendProgress(path string, p Progress) error { return errTODO }

// LogReader reads a log while it is being written, and after.
type LogReader struct{}

// OpenLog opens the log at path for reading from its beginning.
func OpenLog(path string) (*LogReader, error) { return nil, errTODO }

// Read returns what is there; io.EOF means nothing more for now, and a later
// Read may return more. Where the reader was overtaken, or the log was
// truncated, one marker line stands for the gap.
func (r *LogReader) Read(b []byte) (int, error) { return 0, io.EOF }

// Close closes the reader.
func (r *LogReader) Close() error { return nil }

// FinishLog joins a log whose writer died, as the writer would have. A log
// that is complete already is left alone.
func FinishLog(path string) error { return errTODO }
