package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"candor"
)

const (
	unixPrefix = "unix://"
	// maxSocketPath is what every system takes: sun_path has 104 bytes on some.
	maxSocketPath = 103
	knockTimeout  = time.Second
)

// Listen opens an address: host:port, :port, unix:///path. An address that
// other machines can reach needs tokens. A taken port is candor.CodePortTaken
// and names its holder where the system tells.
func Listen(ctx context.Context, addr string, tokens *Tokens) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		return listenUnix(ctx, path)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &candor.Error{Code: candor.CodeInvalid, Message: fmt.Sprintf("%q is not an address to listen on", addr),
			Hint: "write it like 127.0.0.1:7070 or unix:///run/candor.sock", Cause: err}
	}
	if tokens == nil && !loopbackName(host) {
		return nil, needTokens(addr)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if errors.Is(err, errAddrInUse) {
		return nil, portTaken(addr, port, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// private tells whether only this machine can reach an address.
func private(a net.Addr) bool {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.IP.IsLoopback()
	}
	return a.Network() == "unix"
}

func needTokens(addr string) error {
	return &candor.Error{Code: candor.CodeInvalid,
		Message: fmt.Sprintf("other machines can reach %s, and no tokens file is given", addr),
		Hint:    "name one with --tokens (lines of role and token, mode 600), or listen on 127.0.0.1 or a unix socket"}
}

func portTaken(addr, port string, cause error) error {
	e := &candor.Error{Code: candor.CodePortTaken, Message: addr + " is taken", Cause: cause,
		Hint: "choose another with --listen, or end the program that holds it", Detail: map[string]any{"address": addr}}
	n, err := strconv.Atoi(port)
	if err != nil {
		return e
	}
	if pid, program, ok := portHolder(n); ok {
		e.Message = fmt.Sprintf("%s is taken by pid %d (%s)", addr, pid, program)
		e.Detail["pid"], e.Detail["program"] = pid, program
	}
	return e
}

// unixListener removes its socket when it is closed.
type unixListener struct {
	net.Listener
	path string
	file fs.FileInfo
}

func (l *unixListener) Close() error {
	err := l.Listener.Close()
	if now, e := os.Lstat(l.path); e != nil || !os.SameFile(now, l.file) {
		return err // it was removed, and what is there now is another's
	}
	if rm := os.Remove(l.path); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}

// Gone tells whether somebody has removed the socket of a listener, so that
// nobody can reach it any more.
func Gone(l net.Listener) bool {
	u, ok := l.(*unixListener)
	if !ok {
		return false
	}
	_, err := os.Lstat(u.path)
	return errors.Is(err, fs.ErrNotExist)
}

// listenUnix makes a socket that only its owner can open. It is made in a
// private directory and moved into place, so that there is no moment at which
// others could connect, and a stale socket is replaced in one step.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if !filepath.IsAbs(path) {
		return nil, candor.Errorf(candor.CodeInvalid, "the socket path %q is not absolute", path)
	}
	if err := vacant(ctx, path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".c")
	if err != nil {
		return nil, fmt.Errorf("make a private directory for %s: %w", path, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	tmp := filepath.Join(dir, "s")
	if max(len(tmp), len(path)) > maxSocketPath {
		return nil, &candor.Error{Code: candor.CodeInvalid, Message: fmt.Sprintf("the socket path %s is too long", path),
			Hint: fmt.Sprintf("systems take at most %d bytes; choose a shorter directory", maxSocketPath)}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", tmp)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	file, err := os.Lstat(tmp)
	if err := errors.Join(err, os.Chmod(tmp, 0o600), os.Rename(tmp, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("put socket into place: %w", err), l.Close())
	}
	return &unixListener{l, path, file}, nil
}

// vacant tells whether path is free, or a socket on which nobody answers.
func vacant(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return &candor.Error{Code: candor.CodeConflict, Message: path + " is there, and is no socket",
			Hint: "choose another path with --listen"}
	}
	ctx, cancel := context.WithTimeout(ctx, knockTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if errors.Is(err, errConnRefused) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &candor.Error{Code: candor.CodePortTaken, Message: path + " is held by something that does not let us in",
			Hint: "choose another path with --listen", Cause: err}
	}
	defer func() { _ = conn.Close() }()
	e := &candor.Error{Code: candor.CodePortTaken, Message: path + " is taken",
		Hint: "choose another with --listen, or end the program that holds it", Detail: map[string]any{"address": path}}
	if pid, program, ok := socketHolder(conn.(*net.UnixConn)); ok {
		e.Message = fmt.Sprintf("%s is taken by pid %d (%s)", path, pid, program)
		e.Detail["pid"], e.Detail["program"] = pid, program
	}
	return e
}
