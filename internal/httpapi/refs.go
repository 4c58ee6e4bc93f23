package httpapi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"candor"
	"candor/internal/sched"
)

const (
	// maxCandidates is how many things an ambiguous prefix lists.
	maxCandidates = 5
	// maxRef is longer than any id or sensible name; more is not looked up.
	maxRef = 200
)

// find is what a prefix names, living or kept. At most one more than can be
// listed of each kind.
func (s *Server) find(ctx context.Context, prefix string) (candor.Refs, error) {
	if prefix == "" || len(prefix) > maxRef {
		return candor.Refs{}, candor.Errorf(candor.CodeInvalid, "an id or name has 1 to %d characters", maxRef)
	}
	living, err := do[sched.Refs](ctx, s, sched.Resolve{Prefix: prefix})
	if err != nil {
		return candor.Refs{}, err
	}
	kept, err := s.opts.Store.Resolve(ctx, prefix, maxCandidates+1)
	if err != nil {
		return candor.Refs{}, fmt.Errorf("resolve %q: %w", prefix, err)
	}
	return candor.Refs{
		Batches: union(living.Batches, kept.Batches),
		Tasks:   union(living.Tasks, kept.Tasks),
		Workers: living.Workers,
	}, nil
}

func union[T candor.BatchID | candor.TaskID](a, b []T) []T {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// taskID reads a task reference: a whole id or a unique prefix.
func (c *call) taskID() (candor.TaskID, error) {
	ref := c.r.PathValue("ref")
	if id, err := candor.ParseTaskID(ref); err == nil {
		return id, nil
	}
	refs, err := c.find(c.ctx(), ref)
	if err != nil {
		return 0, err
	}
	if len(refs.Tasks) == 0 && len(refs.Batches) > 0 {
		return 0, &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("%q is a batch, not a task", ref),
			Hint: "candor ls " + refs.Batches[0].String() + " shows its tasks"}
	}
	return one(ref, "task", refs.Tasks)
}

// batchID reads a batch reference: a whole id or a unique prefix.
func (c *call) batchID() (candor.BatchID, error) {
	ref := c.r.PathValue("ref")
	if id, err := candor.ParseBatchID(ref); err == nil {
		return id, nil
	}
	refs, err := c.find(c.ctx(), ref)
	if err != nil {
		return 0, err
	}
	if len(refs.Batches) == 0 && len(refs.Tasks) > 0 {
		return 0, &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("%q is a task, not a batch", ref),
			Hint: "candor show " + refs.Tasks[0].String() + " shows it"}
	}
	return one(ref, "batch", refs.Batches)
}

func one[T fmt.Stringer](ref, kind string, found []T) (T, error) {
	var none T
	switch len(found) {
	case 0:
		return none, &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("no %s begins with %q", kind, ref),
			Hint: "candor ls shows what there is"}
	case 1:
		return found[0], nil
	}
	return none, &candor.Error{Code: candor.CodeAmbiguous,
		Message: fmt.Sprintf("%q names several: %s", ref, list(found)),
		Hint:    "give more characters"}
}

// list names what was found, up to maxCandidates.
func list[T fmt.Stringer](found []T) string {
	names := make([]string, 0, maxCandidates+1)
	for i, f := range found {
		if i == maxCandidates {
			names = append(names, "…")
			break
		}
		names = append(names, f.String())
	}
	return strings.Join(names, ", ")
}
