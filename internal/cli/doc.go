// Package cli is candor's command line: one file for each verb, and the one
// place where the parts (brain, worker, supervisor, client) are put together.
//
// A verb reads flags and settings, asks the brain through package client or
// starts processes, and writes down the answer. It decides nothing about tasks
// and keeps no state between calls.
//
// Invariants:
//
//   - stdout has the answer and nothing else; talk, progress and errors go to stderr;
//   - a verb returns when the thing has happened, not when it was asked for,
//     unless --no-wait says otherwise;
//   - every read can answer as JSON, with a "schema" that names its shape; shapes only grow;
//   - the exit code follows from one table (exit.go);
//   - text that came from a plan, a task or a brain reaches a terminal without
//     its control characters.
//
// Verbs that keep processes (run, up, brain, worker) share one rule for signals:
//
//	running ── first INT or TERM ──▶ draining ── second ──▶ interrupting ──▶ exit 130 or 143
//	                                    └───────── nothing left ──────────▶ exit
package cli
