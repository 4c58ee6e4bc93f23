package sched

import (
	"bytes"
	"encoding/json"
	"fmt"

	"candor"
)

// gather makes the items of a step's tasks of its rows: lists of so many where
// it asks for chunks.
func gather(e *candor.Each, rows []json.RawMessage) []json.RawMessage {
	if e.Chunk <= 0 {
		return rows
	}
	items := make([]json.RawMessage, 0, e.TasksOf(len(rows)))
	for i := 0; i < len(rows); i += e.Chunk {
		var list bytes.Buffer
		for j, row := range rows[i:min(i+e.Chunk, len(rows))] {
			between := byte(',')
			if j == 0 {
				between = '['
			}
			list.WriteByte(between)
			list.Write(row)
		}
		list.WriteByte(']')
		items = append(items, list.Bytes())
	}
	return items
}

// tooLong tells of a manifest's row, or a chunk of its rows, that is more than a
// task can be given; what was known at submission was checked then.
func tooLong(t *task, m candor.Manifest, rows []json.RawMessage) *candor.Reason {
	takes := map[string]bool{} // steps that have its rows; each comes after what it needs
	for _, st := range t.step.batch.steps {
		e := st.spec.Each
		if e == nil || !(e.From != nil && *e.From == m || takes[e.Same]) {
			continue
		}
		takes[st.spec.Name] = true
		full := *st.spec
		full.Each = &candor.Each{Items: rows, Chunk: e.Chunk}
		err := full.FitItems(rows)
		if err == nil {
			err = full.FitChunks()
		}
		if err != nil {
			return candor.NewReason(candor.ReasonManifestBad, fmt.Sprintf("%s for %s: %v", m.Key(), st.spec.Name, err)).With("step", st.spec.Name)
		}
	}
	return nil
}
