//go:build !linux && !darwin

package cli

import (
	"errors"

	"candor"
)

// freeSpace is not known here; the brain itself sees a full disk everywhere.
func freeSpace(string) (candor.Bytes, error) { return 0, errors.ErrUnsupported }
