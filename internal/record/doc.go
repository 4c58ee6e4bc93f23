// Package record is how candor's processes log: one slog.Handler that feeds a
// console for people, a JSON file for machines and a ring on disk for the day
// after.
//
// It is not the event history (that lives in the store and is queried), and it
// decides nothing: which record is worth which level is the caller's business.
//
//	slog.Logger ──▶ handler ──┬──▶ ring      every record, down to DEBUG
//	                          │
//	                          └──▶ fold ──┬──▶ console  [time] [component] sentence
//	                                      └──▶ file     JSON lines, rotated
//
// A foldable record (see Fold) goes through these states on its way to console
// and file; the ring always receives it as it came:
//
//	           first: shown            same: kept back
//	(unknown) ─────────────▶ shown ───────────────────▶ held ──┐ same: counted
//	    ▲                    │ ▲ ▲                      │ │ ▲──┘
//	    │ period over,       │ │ └── period over: ──────┘ │
//	    └─ nothing new ──────┘ │     the summary          │
//	                           └── changed: the summary, ─┘
//	                               then the new one
//
// The summary is the latest sentence with "(same for 34s, 7 times)" behind it.
// Counting goes on over the periods until the content changes or stays away for
// a whole period.
//
// Invariants:
//
//   - One record is one line, whatever text it carries: control characters,
//     newlines and escape sequences from jobs never reach the terminal raw.
//   - The order within each output is the order of the calls. Only the summary
//     of a fold comes later than what it speaks of, and carries that time.
//   - The caller never waits for the console: a stopped terminal loses console
//     lines (and says how many), never time of the loop that logs.
//   - The ring stays within its size.
//
// What can be lost. File and ring are written with write(2): what the kernel
// has taken survives kill -9 (not power loss; nothing here calls fsync, since
// what must not be lost is in the store). Records wait in memory until one of:
// 100 ms have passed, 256 KiB (file) or 64 KiB (ring) have gathered, a WARN or
// ERROR arrives, Flush, Close. So kill -9 loses at most the last 100 ms below WARN, and nothing of
// what was logged before the last Flush: a loop that calls Flush at the end of
// each batch loses only the batch that was never answered.
package record
