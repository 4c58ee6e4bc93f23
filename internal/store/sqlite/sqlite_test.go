package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"candor/internal/store"
	"candor/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(storetest.PlaceEnv); dir != "" {
		if err := hammer(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1) // who is to be killed does not end well by itself
	}
	if dir := os.Getenv(holdEnv); dir != "" {
		if err := hold(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func hammer(dir string) error {
	s, err := Open(context.Background(), Options{Dir: dir})
	if err != nil {
		return err
	}
	return storetest.Hammer(s, os.Stdout)
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Factory {
		dir := t.TempDir()
		open := func(ctx context.Context) (store.Store, error) {
			return Open(ctx, Options{Dir: dir, Seed: 7})
		}
		return storetest.Factory{
			Open:  open,
			Place: dir,
			Seize: func(ctx context.Context) (store.Store, error) {
				// A new file in place of the locked one: nobody holds its lock.
				if err := os.Remove(filepath.Join(dir, lockName)); err != nil {
					return nil, err
				}
				return open(ctx)
			},
		}
	})
}
