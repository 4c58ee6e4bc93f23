package rows

import (
	"bytes"
	"os"
	"path/filepath"

	"candor"
	"candor/internal/durable"
)

// write puts the results on disk, whole, under the names that outputs have.
func (r *run) write() error {
	if r.Chunk {
		return r.writeLines()
	}
	first := r.rows[0]
	files := r.Step.LLM.Files(false)
	line, err := marshal(first.RowResult)
	if err != nil {
		return err
	}
	if err := r.put(files[candor.OutputResult], append(line, '\n')); err != nil || first.Error != nil {
		return err
	}
	answer, err := r.answer(first)
	if err != nil {
		return err
	}
	return r.put(files[candor.OutputAnswer], answer)
}

// answer is a single row's answer alone.
func (r *run) answer(w *row) ([]byte, error) {
	switch {
	case w.Vector != nil:
		line, err := marshal(w.Vector)
		return append(line, '\n'), err
	case r.form.schema != nil:
		return append(bytes.Clone(w.Answer), '\n'), nil
	}
	return []byte(w.text), nil
}

func (r *run) writeLines() error {
	var b bytes.Buffer
	for _, w := range r.rows {
		line, err := marshal(w.RowResult)
		if err != nil {
			return err
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	if err := r.put(r.Step.LLM.Files(true)[candor.OutputResults], b.Bytes()); err != nil {
		return err
	}
	return r.journal.drop()
}

func (r *run) put(name string, content []byte) error {
	path := filepath.Join(r.Dir, name)
	if err := durable.WriteFile(path, content); err != nil {
		return err
	}
	return os.Chmod(path, 0o644) // outputs are for other steps and people, as those of commands
}
