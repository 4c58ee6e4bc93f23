package httpapi_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"candor"
	"candor/client"
	"candor/internal/httpapi"
)

// A holder in this very process is as good as any: it has a pid and a program.
func TestTakenPortNamesItsHolder(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		holder, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = holder.Close() }()
		_, err = httpapi.Listen(t.Context(), holder.Addr().String(), nil)
		wantTaken(t, err, holder.Addr().String())
	}
}

func wantTaken(t *testing.T, err error, addr string) {
	t.Helper()
	wantCode(t, err, candor.CodePortTaken)
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || !strings.Contains(e.Message, addr) || !strings.Contains(e.Hint, "--listen") {
		t.Fatalf("the error %+v does not name %s and the flag", err, addr)
	}
	if runtime.GOOS == "linux" && (e.Detail["pid"] != os.Getpid() || e.Detail["program"] == "") {
		t.Errorf("the holder is %v, want pid %d", e.Detail, os.Getpid())
	}
}

func TestOtherMachinesNeedTokens(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:7070", "rig.example:7070"} {
		_, err := httpapi.Listen(t.Context(), addr, nil)
		wantCode(t, err, candor.CodeInvalid)
		if !strings.Contains(err.Error(), "no tokens file") {
			t.Errorf("%s: %v", addr, err)
		}
	}
	l, err := httpapi.Listen(t.Context(), ":0", tokens(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	// Not even a listener made elsewhere is served without tokens.
	srv, err := httpapi.New(httpapi.Options{Brain: newBrain(), Store: newShelf()})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, srv.Serve(l), candor.CodeInvalid)
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBadAddresses(t *testing.T) {
	for _, addr := range []string{"", "7070", "unix://relative.sock", "unix://" + filepath.Join(t.TempDir(), strings.Repeat("x", 100))} {
		_, err := httpapi.Listen(t.Context(), addr, nil)
		wantCode(t, err, candor.CodeInvalid)
	}
}

func TestSocketIsPrivateAndGoesAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	r := start(t, "unix://"+path, nil)
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("socket is %v, %v; want mode 0600", info.Mode(), err)
	}
	if err := newClient(t, client.Options{URL: r.url}).Health(t.Context()); err != nil {
		t.Error(err)
	}
	r.stop()
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLiveSocketIsNotTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	r := start(t, "unix://"+path, nil)
	_, err := httpapi.Listen(t.Context(), "unix://"+path, nil)
	wantTaken(t, err, path)
	if err := newClient(t, client.Options{URL: r.url}).Health(t.Context()); err != nil {
		t.Errorf("the holder lost its socket: %v", err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	r := start(t, "unix://"+path, nil)
	if err := newClient(t, client.Options{URL: r.url}).Health(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoSocketStays(t *testing.T) {
	path := write(t, t.TempDir(), "s", "precious", 0o600)
	_, err := httpapi.Listen(t.Context(), "unix://"+path, nil)
	wantCode(t, err, candor.CodeConflict)
	if got, err := os.ReadFile(path); err != nil || string(got) != "precious" {
		t.Errorf("file is %q, %v", got, err)
	}
}
