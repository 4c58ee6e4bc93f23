package record

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
)

// BenchmarkFileAndRing is the brain's hot path: one INFO record about a task
// into the file and the ring, the console being quieter. Two of them per task.
func BenchmarkFileAndRing(b *testing.B) {
	dir := b.TempDir()
	l := open(b, Options{
		Component: "brain", Console: new(discard), Level: slog.LevelWarn,
		File: filepath.Join(dir, "brain.log"), Ring: filepath.Join(dir, "ring"), Backups: 1,
	})
	log := l.Logger()
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(ctx, slog.LevelInfo, "Completed script task: d5de16d7 (transcribe-12) in 1.2s",
			slog.String(KeyTask, "t_0199aa00d5de16d7"), slog.String(KeyBatch, "b_0199aa00d5de16d7"),
			slog.String(KeyWorker, "worker-1"), slog.String(KeyClass, "script"),
			slog.Int(KeyAttempt, 1), slog.Int64(KeyDurationMS, 1234))
	}
	b.StopTimer()
	closeLog(b, l)
}

// BenchmarkFileAndRingWithoutCaller is the same past slog.Logger, which looks
// up its caller for every record although candor does not log it.
func BenchmarkFileAndRingWithoutCaller(b *testing.B) {
	dir := b.TempDir()
	l := open(b, Options{Component: "brain", File: filepath.Join(dir, "brain.log"), Ring: filepath.Join(dir, "ring"), Backups: 1})
	h := l.Handler()
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		r := slog.NewRecord(l.opts.Clock.Now(), slog.LevelInfo, "Completed script task: d5de16d7 (transcribe-12) in 1.2s", 0)
		r.AddAttrs(slog.String(KeyTask, "t_0199aa00d5de16d7"), slog.String(KeyBatch, "b_0199aa00d5de16d7"),
			slog.String(KeyWorker, "worker-1"), slog.String(KeyClass, "script"),
			slog.Int(KeyAttempt, 1), slog.Int64(KeyDurationMS, 1234))
		_ = h.Handle(ctx, r)
	}
	b.StopTimer()
	closeLog(b, l)
}

// BenchmarkConsole is a record that a person sees.
func BenchmarkConsole(b *testing.B) {
	l := open(b, Options{Component: "brain", Console: new(discard)})
	log := l.Logger()
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(ctx, slog.LevelInfo, "Claimed script task: d5de16d7 (transcribe-12)", slog.String(KeyTask, "t_0199aa00d5de16d7"))
	}
	b.StopTimer()
	closeLog(b, l)
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }
