//go:build !windows

package httpapi

import "syscall"

const (
	errAddrInUse   = syscall.EADDRINUSE
	errConnRefused = syscall.ECONNREFUSED
)
