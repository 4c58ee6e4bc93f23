package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// ask sends each row to the server, so many at once, and waits for all answers.
// Answers come in one piece: nothing that reads them token by token is faster.
func (v *server) ask(ctx context.Context, b batch, at int) (turn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: at}}
	defer web.CloseIdleConnections()
	var next, tokens atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range at {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(b.prompt); i = int(next.Add(1)) - 1 {
				n, err := v.answer(ctx, web, b, b.prompt[i])
				if err != nil {
					cancel(fmt.Errorf("row %d: %w", i, err))
					return
				}
				tokens.Add(int64(n))
			}
		})
	}
	wg.Wait()
	return turn{len(b.prompt), int(tokens.Load()), time.Since(start)}, context.Cause(ctx)
}

// answer asks one prompt and returns the number of tokens in its answer.
func (v *server) answer(ctx context.Context, web *http.Client, b batch, prompt string) (int, error) {
	body, err := json.Marshal(map[string]any{
		"model": b.model, "stream": false, "keep_alive": -1,
		"messages": []map[string]string{{"role": "user", "content": prompt}},
		"options":  map[string]any{"num_ctx": contextLen, "num_predict": b.tokens, "seed": seed},
	})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+"/api/chat", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := web.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	var reply struct {
		Done   bool   `json:"done"`
		Reason string `json:"done_reason"`
		Tokens int    `json:"eval_count"`
	}
	if err := json.Unmarshal(text, &reply); err != nil || resp.StatusCode != http.StatusOK || !reply.Done {
		return 0, errors.Join(fmt.Errorf("answered %s: %.200s", resp.Status, text), err)
	}
	return reply.Tokens, nil
}

// worth is by how much a further request at once must raise the rate to be
// better: less is noise, and a longer queue.
const worth = 1.01

// bestConcurrency tries ever more requests at once, and a few more than the
// server answers at once, which keep it from waiting for us.
func bestConcurrency(ctx context.Context, s *server, b batch, slots int, stdout io.Writer) (int, error) {
	best, most := 0, 0.0
	for _, at := range []int{max(1, slots/2), slots, slots + 1, slots + (slots+1)/2, 2 * slots, 4 * slots} {
		t, err := s.ask(ctx, b, at)
		if err != nil {
			return 0, fmt.Errorf("straight, %d at once: %w", at, err)
		}
		fmt.Fprintf(stdout, "straight, %d at once: rows/s=%.2f tokens/s=%.1f\n", at, t.rate(), float64(t.tokens)/t.took.Seconds())
		if t.rate() > most*worth {
			best, most = at, t.rate()
		}
	}
	return best, nil
}
