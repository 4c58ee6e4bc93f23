package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"candor"
	"candor/internal/gpu"
)

// passes tells whether a variable of the worker's own environment goes on to
// its attempts: what a program needs to find its way on this host. All else
// stays here, secrets above all.
func passes(name string) bool {
	switch name {
	case "PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "USER", "LOGNAME", "SHELL", "LD_LIBRARY_PATH",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_CACHE_HOME",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy":
		return true
	}
	if runtime.GOOS == "windows" {
		switch strings.ToUpper(name) {
		case "PATH", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA":
			return true
		}
	}
	return strings.HasPrefix(name, "LC_")
}

// environ is the whole environment of an attempt, sorted. An error is the
// task's own: what cannot be passed on will not be at the next try either.
func (w *worker) environ(a *attempt) ([]string, error) {
	env := map[string]string{}
	for _, e := range w.o.Environ {
		if k, v, ok := strings.Cut(e, "="); ok && passes(k) {
			env[variable(k)] = v
		}
	}
	env["TRACEPARENT"] = traceparent(a) // a plan that belongs to a trace of its own may say so
	maps.Copy(env, a.spec.Step.Env)
	env["PATH"] = pathOf(env["PATH"])
	if err := itemEnv(env, a.Item, a.Index); err != nil {
		return nil, err
	}
	a.needsEnv(env)
	w.ownEnv(env, a)
	w.gpuEnv(env, a.spec.Step.Class)
	modelEnv(env, a)
	for name, value := range env {
		if strings.ContainsRune(name, 0) || strings.ContainsRune(value, 0) {
			return nil, fmt.Errorf("$%s holds a zero byte, which no environment variable can", quote(name))
		}
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list, nil
}

// pathOf is the PATH of attempts: the worker's, or the plan's, and then candor
// itself, so that a script can say `candor progress 40/125`; last, so that it
// shadows nothing.
func pathOf(path string) string {
	self, err := os.Executable()
	if err != nil {
		return path
	}
	return strings.TrimLeft(path+string(filepath.ListSeparator)+filepath.Dir(self), string(filepath.ListSeparator))
}

// variable is a variable's name where capitals make no difference: Windows has a
// Path, and it is the PATH.
func variable(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

// lookup finds a variable.
func lookup(environ []string, name string) string {
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok && variable(k) == name {
			return v
		}
	}
	return ""
}

// itemEnv sets ITEM, and for an object ITEM_<FIELD> for each of its fields.
func itemEnv(env map[string]string, item json.RawMessage, index int) error {
	if index >= 0 {
		env["ITEM_INDEX"] = strconv.Itoa(index)
	}
	if len(item) == 0 {
		return nil
	}
	if err := candor.ValidItem(item); err != nil {
		return fmt.Errorf("item %d: %w", index, err)
	}
	env["ITEM"] = plain(item)
	var fields map[string]json.RawMessage
	if json.Unmarshal(item, &fields) != nil {
		return nil // no object
	}
	from := map[string]string{}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		name := "ITEM_" + envField(field)
		if other, taken := from[name]; taken {
			return fmt.Errorf("item %d: fields %s and %s would both be $%s", index, quote(other), quote(field), name)
		}
		from[name] = field
		env[name] = plain(fields[field])
	}
	return nil
}

// plain is a JSON value as a variable: the text of a string, a number or truth
// value as written, nothing for null, all else as compact JSON.
func plain(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s // null, too, leaves it empty
	}
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return string(v)
	}
	return b.String()
}

// envField is a field's name inside a variable's: upper case, and _ for all
// that no name of a variable can hold.
func envField(field string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, field)
}

// needsEnv tells where the outputs of needed steps are. A step that fans out has
// one folder for each item; a task that waits for all of them gets the folder
// above.
func (a *attempt) needsEnv(env map[string]string) {
	for _, n := range a.spec.Needs {
		if len(n.Outputs) == 0 {
			continue
		}
		index := -1
		if n.FansOut && n.Each {
			index = a.Index
		}
		dir := outputDir(a.spec.BatchDir, n.Step, index)
		env[candor.NeedDirEnv(n.Step)] = dir
		if n.FansOut && !n.Each {
			continue
		}
		for name, path := range n.Outputs {
			env[candor.NeedOutputEnv(n.Step, name)] = filepath.Join(dir, filepath.FromSlash(path))
		}
	}
}

func (w *worker) ownEnv(env map[string]string, a *attempt) {
	env["BATCH_DIR"] = a.spec.BatchDir
	env["PLAN_DIR"] = a.spec.PlanDir
	env["CANDOR_PLAN_ID"] = a.spec.Batch.String()
	env["CANDOR_TASK_ID"] = a.Task.String()
	env["CANDOR_ATTEMPT"] = strconv.Itoa(a.Attempt)
	env["CANDOR_LEASE"] = strconv.FormatInt(a.Lease, 10)
	env["CANDOR_WORKER"] = w.o.Name
	env["CANDOR_WORK_DIR"] = a.workDir()
	env["CANDOR_OUTPUT_DIR"] = a.workDir() // outputs are looked for where the command runs
}

// gpuEnv binds the attempt to the worker's card, by UUID since an index counts
// differently in every tool, and hides all cards from work that needs none.
func (w *worker) gpuEnv(env map[string]string, class candor.Class) {
	env["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
	env["CUDA_VISIBLE_DEVICES"], env["ROCR_VISIBLE_DEVICES"] = "", ""
	g := w.o.GPU
	if g == nil || class == candor.ClassCPU {
		return
	}
	env["CANDOR_GPU_UUID"] = g.UUID
	if g.Index.Known {
		env["CANDOR_GPU_INDEX"] = strconv.Itoa(g.Index.Value)
	}
	visible := or(g.UUID, env["CANDOR_GPU_INDEX"])
	if g.Vendor == gpu.AMD {
		env["ROCR_VISIBLE_DEVICES"] = visible
		return
	}
	env["CUDA_VISIBLE_DEVICES"] = visible
}

// argv is the command: the shell for Run, the words themselves for Argv. Items
// are not put in: they are in the environment, where no shell reads them.
func argv(step *candor.Step) ([]string, error) {
	if step.Run == "" {
		return step.Argv, nil
	}
	if runtime.GOOS == "windows" {
		return nil, errors.New("run needs a POSIX shell, which Windows has not: use argv")
	}
	return []string{"sh", "-c", step.Run}, nil
}
