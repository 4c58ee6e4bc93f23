package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"

	"candor"
)

// Flag is a setting given on the command line.
type Flag struct {
	Name string // without dashes
	Text string
}

// Sources is where settings come from. All of it is given, so that a test or a
// reload reads what it is meant to.
type Sources struct {
	Flags   map[string]Flag                  // by key
	File    string                           // --config: a file that is read in place of ./candor.yaml; "" is $CANDOR_CONFIG
	Env     func(name string) (string, bool) // os.LookupEnv
	Home    string                           // home directory; "" if there is none
	WorkDir string                           // where ./candor.yaml is looked for, and where relative paths of flags and variables start
	System  string                           // the system file; "" is DefaultSystemFile
	GOOS    string                           // decides the form of default directories; runtime.GOOS
	UID     int                              // tells the sockets of users apart in a shared directory
}

// File is one configuration file that was looked for.
type File struct {
	Kind  string `json:"kind"` // given, project, user, system
	Path  string `json:"path"`
	Found bool   `json:"found"`
}

// Loaded is a configuration with where each value came from. It does not change.
type Loaded struct {
	Config
	Files   []File // strongest first
	Socket  string // of the brain, by its state directory: unix:///path
	origins map[string]Origin
	values  *koanf.Koanf
	sources Sources
}

// Load reads all sources. The error is a *candor.Error with CodeInvalid that
// names file, line and column, or the variable or flag; several are [Errors].
func Load(src Sources) (*Loaded, error) {
	l := &Loaded{origins: map[string]Origin{}, values: koanf.New("."), sources: src, Files: src.files()}
	layers := []func(Sources) (map[string]value, error){defaults}
	for i := len(l.Files) - 1; i >= 0; i-- {
		layers = append(layers, l.Files[i].read)
	}
	layers = append(layers, fromEnv, fromFlags)
	var wrong faults
	for _, layer := range layers {
		found, err := layer(src)
		if err := wrong.add(err); err != nil {
			return nil, err
		}
		if err := l.put(found); err != nil {
			return nil, err
		}
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if err := l.values.Unmarshal("", &l.Config); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	l.derive()
	return l, l.check()
}

func (l *Loaded) put(found map[string]value) error {
	flat := make(map[string]any, len(found))
	for key, v := range found {
		flat[key] = v.v
		l.origins[key] = v.origin
	}
	if err := l.values.Load(confmap.Provider(flat, "."), nil); err != nil {
		return fmt.Errorf("merge settings: %w", err)
	}
	return nil
}

func defaults(Sources) (map[string]value, error) {
	found := map[string]value{}
	for _, k := range Keys() {
		if k.Default == "" {
			continue
		}
		v, err := k.parse(k.Default)
		if err != nil {
			return nil, fmt.Errorf("default of %s: %w", k.Name, err)
		}
		found[k.Name] = value{v: v, origin: Origin{Layer: LayerDefault}}
	}
	return found, nil
}

func fromEnv(src Sources) (map[string]value, error) {
	found := map[string]value{}
	var wrong faults
	for _, k := range Keys() {
		text, ok := src.Env(k.Env)
		if !ok || text == "" { // an empty variable is how a shell unsets one for a child
			continue
		}
		v, err := k.parse(text)
		if err != nil {
			message, hint := split(err)
			wrong.all = append(wrong.all, invalid(fmt.Sprintf("$%s: %s", k.Env, message), hint))
			continue
		}
		found[k.Name] = value{v: src.fromWorkDir(v), origin: Origin{Layer: LayerEnv, Name: k.Env}}
	}
	return found, wrong.err()
}

func fromFlags(src Sources) (map[string]value, error) {
	found := map[string]value{}
	table := newKeyTable()
	for name, flag := range src.Flags {
		k, ok := table.byName[name]
		if !ok {
			return nil, fmt.Errorf("flag --%s sets %s, which is no setting", flag.Name, name)
		}
		v, err := k.parse(flag.Text)
		if err != nil {
			message, hint := split(err)
			return nil, invalid(fmt.Sprintf("--%s: %s", flag.Name, message), hint)
		}
		found[name] = value{v: src.fromWorkDir(v), origin: Origin{Layer: LayerFlag, Name: flag.Name}}
	}
	return found, nil
}

func (src Sources) fromWorkDir(v any) any {
	if p, ok := v.(Path); ok && p != "" {
		return Path(src.absolute(string(p)))
	}
	return v
}

func (src Sources) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(src.WorkDir, path)
}

func (f *File) read(src Sources) (map[string]value, error) {
	file, err := os.Open(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.Kind == "given":
		return nil, invalid(fmt.Sprintf("%s: there is no such configuration file", f.Path), "look at --config and $CANDOR_CONFIG")
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && f.Kind != "given":
		return nil, nil
	case err != nil:
		return nil, &candor.Error{Code: candor.CodeInvalid, Message: "configuration file cannot be read", Cause: err}
	}
	defer file.Close()
	f.Found = true
	return readFile(f.Path, src.Home, file)
}

// split takes an error apart into message and hint.
func split(err error) (message, hint string) {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e.Error(), e.Hint
	}
	return err.Error(), ""
}

// Reload reads the same sources again. On error the old one stays as it was.
func (l *Loaded) Reload() (*Loaded, error) { return Load(l.sources) }

// Entry is one setting as it stands.
type Entry struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin Origin `json:"origin"`
}

// Entries lists all settings in the order of the example file.
func (l *Loaded) Entries() []Entry {
	values := flatten(l.Config)
	entries := make([]Entry, 0, len(values))
	for _, k := range Keys() {
		entries = append(entries, Entry{Key: k.Name, Value: formatValue(values[k.Name]), Origin: l.Origin(k.Name)})
	}
	return entries
}

// Origin says where a key's value came from.
func (l *Loaded) Origin(key string) Origin {
	if o, ok := l.origins[key]; ok {
		return o
	}
	return Origin{Layer: LayerDefault}
}

// Change is one setting that a reload changed.
type Change struct {
	Key, Old, New string
	Live          bool // taken up at once; otherwise at the next start
}

// Changes lists what differs in next, in the order of the example file.
func (l *Loaded) Changes(next *Loaded) []Change {
	var changes []Change
	was, is := flatten(l.Config), flatten(next.Config)
	for _, k := range Keys() {
		if a, b := formatValue(was[k.Name]), formatValue(is[k.Name]); a != b {
			changes = append(changes, Change{Key: k.Name, Old: a, New: b, Live: k.Live})
		}
	}
	return changes
}

func flatten(c Config) map[string]any {
	values := map[string]any{}
	maps.Insert(values, fields(c))
	return values
}
