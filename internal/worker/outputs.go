package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"candor"
	"candor/internal/record"
)

// outputDir is where a task's outputs are, once it has succeeded: the batch's
// folder, the step, and for a step that fans out the item's position.
func outputDir(batchDir, step string, index int) string {
	if index < 0 {
		return filepath.Join(batchDir, step)
	}
	return filepath.Join(batchDir, step, fmt.Sprintf("%05d", index))
}

// harvest checks the declared outputs of an attempt that ended with 0, reads the
// manifests among them and puts all in place.
func (w *worker) harvest(a *attempt, r *candor.Result) {
	r.Outcome = candor.AttemptDone
	if len(a.spec.Step.Outputs) == 0 {
		return
	}
	found, err := findOutputs(a.workDir(), a.spec.Step.Outputs)
	if err != nil {
		r.Outcome, r.Reason = candor.AttemptFailed, candor.NewReason(candor.ReasonOutputMissing, a.ended()+", but "+err.Error())
		return
	}
	if r.Manifests, r.Reason = readManifests(a.spec.Step.Outputs, found, a.spec.Manifests); r.Reason != nil {
		r.Outcome = candor.AttemptPermanent
		return
	}
	outputs := weigh(a.spec.Step.Outputs, found)
	switch err := publish(a, found); {
	case err == nil:
		r.Outputs = outputs
	case errors.Is(err, errNewer):
		r.Outcome, r.Manifests = candor.AttemptAborted, nil
		r.Reason = candor.NewReason(candor.ReasonFenced, fmt.Sprintf("its outputs were not put in place: %v", err))
	default:
		r.Outcome, r.Manifests = candor.AttemptFailed, nil
		r.Reason = candor.NewReason(candor.ReasonOutputMissing, fmt.Sprintf("%s, but its outputs could not be put in place: %v", a.ended(), err))
		if hostFault(err) {
			r.Outcome = candor.AttemptTransient
			r.Reason = candor.NewReason(candor.ReasonHostFault, fmt.Sprintf("%s, but this worker could not put its outputs in place: %v", a.ended(), err))
			w.sayTask(slog.LevelError, lineDisk, a, "Outputs could not be put in place", slog.Any(record.KeyError, err))
		}
	}
}

// ended is how an attempt ended that did well, as far as that goes.
func (a *attempt) ended() string {
	if a.spec.Step.LLM != nil {
		return "its rows are answered"
	}
	return "exit 0"
}

// findOutputs maps each declared path to the file or folder that it names,
// links followed. None may lead out of the attempt's folder.
func findOutputs(work string, declared map[string]string) (map[string]string, error) {
	base, err := filepath.EvalSymlinks(work)
	if err != nil {
		return nil, fmt.Errorf("its work directory is gone: %w", err)
	}
	found := map[string]string{}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		p := declared[name]
		if !candor.ValidOutputPath(p) {
			return nil, fmt.Errorf("declared output %s has an unusable path: %s", name, quote(p))
		}
		real, err := filepath.EvalSymlinks(filepath.Join(base, filepath.FromSlash(p)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, describe(name, p))
			continue
		case err != nil:
			return nil, fmt.Errorf("declared output %s cannot be read: %w", describe(name, p), err)
		}
		if err := contained(base, real, describe(name, p)); err != nil {
			return nil, err
		}
		found[p] = real
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("declared %s missing", strings.Join(missing, ", "))
	}
	return found, apart(declared, found)
}

func describe(name, p string) string {
	if name == p || strings.TrimSuffix(path.Base(p), path.Ext(p)) == name {
		return p
	}
	return fmt.Sprintf("%s (%s)", p, name)
}

// contained refuses what is not inside base, what is neither file nor folder,
// what cannot be opened, and folders with links that lead out of themselves,
// which would point nowhere, or anywhere, once moved.
func contained(base, real, name string) error {
	if rel, err := filepath.Rel(base, real); err != nil || rel == "." || !filepath.IsLocal(rel) {
		return fmt.Errorf("declared output %s leads out of the work directory", name)
	}
	return filepath.WalkDir(real, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("declared output %s cannot be read: %w", name, err)
		case d.IsDir():
			return nil // walking into it opens it
		case d.Type().IsRegular():
			return opens(p, name)
		case d.Type()&fs.ModeSymlink == 0:
			return fmt.Errorf("declared output %s holds something that is no file: %s", name, quote(filepath.Base(p)))
		}
		target, err := os.Readlink(p)
		if err != nil {
			return fmt.Errorf("declared output %s cannot be read: %w", name, err)
		}
		rel, err := filepath.Rel(real, filepath.Join(filepath.Dir(p), target))
		if filepath.IsAbs(target) || err != nil || !filepath.IsLocal(rel) {
			return fmt.Errorf("declared output %s holds a link that leads out of it: %s", name, quote(filepath.Base(p)))
		}
		return nil
	})
}

// opens tells whether a file can be read, by whoever needs it later.
func opens(p, name string) error {
	f, err := os.Open(p)
	if err != nil {
		return fmt.Errorf("declared output %s cannot be read: %w", name, err)
	}
	return f.Close()
}
