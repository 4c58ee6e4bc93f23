package httpapi

import "golang.org/x/sys/windows"

// Windows' own numbers; those of package syscall are invented there.
const (
	errAddrInUse   = windows.WSAEADDRINUSE
	errConnRefused = windows.WSAECONNREFUSED
)
