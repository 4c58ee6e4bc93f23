//go:build !linux

package httpapi

import "net"

// portHolder is not known here without privileges.
func portHolder(int) (pid int, program string, ok bool) { return 0, "", false }

// socketHolder is not known here in a portable way.
func socketHolder(*net.UnixConn) (pid int, program string, ok bool) { return 0, "", false }

// socketUser is not known here in a portable way.
func socketUser(*net.UnixConn) (uid string, ok bool) { return "", false }
