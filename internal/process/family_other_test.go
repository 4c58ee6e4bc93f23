//go:build darwin

package process

func playReaper() {}
