package cli

import (
	"context"
	"strings"

	"candor"
	"candor/internal/config"
	"candor/internal/httpapi"
	"candor/internal/store/sqlite"
)

// tryListen tries the addresses where a brain would listen, and tells of each
// what came of it. The error is that of the tokens file. Unix sockets are left
// alone: one on which nobody answers is replaced at start.
func tryListen(ctx context.Context, cfg *config.Loaded, each func(address string, err error)) error {
	var tokens *httpapi.Tokens
	if cfg.TokensFile != "" {
		var err error
		if tokens, err = httpapi.ReadTokens(string(cfg.TokensFile)); err != nil {
			return err
		}
	}
	for _, address := range cfg.Brain.Listen {
		if strings.HasPrefix(address, "unix://") {
			continue
		}
		l, err := httpapi.Listen(ctx, address, tokens)
		if err == nil {
			_ = l.Close() // it was opened for the look only
		}
		each(address, err)
	}
	return nil
}

// canListen refuses to start a brain that could not listen, however often it
// were started again. Where a brain leads the state, its end is waited for: it may
// be an orphan that is just leaving.
func canListen(ctx context.Context, cfg *config.Loaded) error {
	var refused error
	err := tryListen(ctx, cfg, func(_ string, err error) {
		if refused == nil {
			refused = err
		}
	})
	if err != nil {
		return err
	}
	if who, err := sqlite.Leader(string(cfg.State)); candor.CodeOf(refused) == candor.CodePortTaken && err == nil && who != "" {
		return nil
	}
	return refused
}
