package config

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// DefaultSystemFile is the system's configuration file on Unix.
const DefaultSystemFile = "/etc/candor/config.yaml"

const unixPrefix = "unix://"

// socketPathLimit is the longest socket path that every system takes: sun_path
// holds 104 bytes on Darwin and the BSDs (108 on Linux), with its end mark. The
// brain makes the socket under a name that is a little longer, and moves it.
const socketPathLimit = 99

func (src Sources) env(name string) string {
	text, _ := src.Env(name)
	return text
}

// files lists the configuration files, strongest first.
func (src Sources) files() []File {
	project := File{Kind: "project", Path: filepath.Join(src.WorkDir, "candor.yaml")}
	if given := cmp.Or(src.File, src.env("CANDOR_CONFIG")); given != "" {
		project = File{Kind: "given", Path: src.absolute(given)}
	}
	files := []File{project}
	if dir := src.baseDir("XDG_CONFIG_HOME", "AppData", ".config"); dir != "" {
		files = append(files, File{Kind: "user", Path: filepath.Join(dir, "candor", "config.yaml")})
	}
	return append(files, File{Kind: "system", Path: src.systemFile()})
}

func (src Sources) systemFile() string {
	switch {
	case src.System != "":
		return src.System
	case src.GOOS == "windows":
		return filepath.Join(src.env("ProgramData"), "candor", "config.yaml")
	default:
		return DefaultSystemFile
	}
}

// baseDir is a base directory of the XDG specification, which ignores relative
// values; on Windows, where it is not set, the system's counterpart.
func (src Sources) baseDir(xdg, windows, underHome string) string {
	if dir := src.env(xdg); filepath.IsAbs(dir) {
		return dir
	}
	if src.GOOS == "windows" {
		return src.env(windows)
	}
	if src.Home == "" {
		return ""
	}
	return filepath.Join(src.Home, underHome)
}

// derive fills in what follows from other settings. The origin stays "default".
func (l *Loaded) derive() {
	c, src := &l.Config, l.sources
	if c.State == "" {
		base := src.baseDir("XDG_STATE_HOME", "LocalAppData", filepath.Join(".local", "state"))
		if base == "" { // no home: a service user
			base = "/var/lib"
		}
		c.State = Path(filepath.Join(base, "candor"))
	}
	l.Socket = unixPrefix + filepath.ToSlash(src.socket(string(c.State)))
	if c.Brain.URL == "" {
		c.Brain.URL = l.Socket
	}
	if c.Log.Dir == "" {
		c.Log.Dir = Path(filepath.Join(string(c.State), "logs"))
	}
}

// socket is the socket of a state directory: inside it, or, where the path would
// be too long for one, under a name made from it in a directory that only this
// user can write.
func (src Sources) socket(state string) string {
	path := filepath.Join(state, "candor.sock")
	if len(path) <= socketPathLimit {
		return path
	}
	dir := src.env("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("candor-%d", src.UID))
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(state))
	return filepath.Join(dir, fmt.Sprintf("candor-%016x.sock", h.Sum64()))
}

// check holds settings against each other.
func (l *Loaded) check() error {
	c := l.Config
	rules := []struct {
		ok            bool
		key, message  string
		other, advice string
	}{
		{c.Heartbeat.Lost >= 2*c.Heartbeat.Interval, "heartbeat.lost", "must be at least twice heartbeat.interval, or one late heartbeat loses a worker", "heartbeat.interval", "raise heartbeat.lost or lower heartbeat.interval"},
		{c.Lease >= c.Heartbeat.Lost, "lease", "must not be shorter than heartbeat.lost, or tasks are taken from workers that are not lost", "heartbeat.lost", "raise lease or lower heartbeat.lost"},
		{c.Retry.BackoffMax >= c.Retry.Backoff, "retry.backoff_max", "must not be shorter than retry.backoff", "retry.backoff", ""},
		{c.Supervise.Grace > c.Worker.Grace, "supervise.grace", "must be longer than worker.grace, or a draining worker is killed", "worker.grace", "raise supervise.grace or lower worker.grace"},
		{c.Heat.Limit == 0 || c.Heat.Resume <= c.Heat.Limit, "heat.resume", "must not be above heat.limit", "heat.limit", "lower heat.resume or raise heat.limit"},
		{c.Supervise.BackoffMax >= c.Supervise.Backoff, "supervise.backoff_max", "must not be shorter than supervise.backoff", "supervise.backoff", ""},
	}
	for _, r := range rules {
		if r.ok {
			continue
		}
		at := l.Origin(r.key)
		if at.Layer == LayerDefault {
			at = l.Origin(r.other)
		}
		return invalid(fmt.Sprintf("%s: %s %s", at, r.key, r.message), r.advice)
	}
	return l.checkListen()
}

// Addresses is where a brain with these settings listens, its own socket first.
func (l *Loaded) Addresses() []string { return append([]string{l.Socket}, l.Brain.Listen...) }

func (l *Loaded) checkListen() error {
	at := l.Origin("brain.listen")
	for _, address := range l.Addresses() {
		if path, ok := strings.CutPrefix(address, unixPrefix); ok {
			if len(path) > socketPathLimit {
				return invalid(fmt.Sprintf("%s: brain.listen: the socket path has %d bytes, more than the %d that systems take", at, len(path), socketPathLimit), "name a shorter path, or host:port")
			}
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return invalid(fmt.Sprintf("%s: brain.listen: %q is neither unix:///path nor host:port", at, address), "for this machine only: 127.0.0.1:7070")
		}
	}
	return nil
}
