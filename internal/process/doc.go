// Package process runs one supervised child process: a task's command, a
// worker, a brain. It starts it apart from its parent, drains what it prints,
// measures whether it gets on, ends it, and proves that nothing of it is left.
//
// It decides nothing. When a job is too slow, hung or unwanted is its caller's
// rule, and so are timeouts; this package supplies the numbers (Sample,
// Classify) and the deed (Terminate). It limits neither memory nor CPU.
//
//	Start ──▶ running ──▶ main process ended ──▶ nothing left alive ──▶ Done
//	             │          stragglers get Spec.Drain,      ▲   log joined,
//	             │          then KILL, and are named        │   main process reaped
//	             └─ Terminate: TERM, CONT ── grace ── KILL ─┘
//
// # Who belongs to a process
//
// The child leads a session of its own. A process belongs to it when it is in
// that session or process group, in its cgroup, carries every entry of
// Spec.Mark in its environment, or descends from one that does. On Linux one
// that still holds the output pipe is found by that as well. What escapes all
// of these without a cgroup: a descendant that starts a new session, clears
// its environment, gives up its output and outlives its parent. A Family finds
// that, too, as long as the process lives that made itself the reaper.
//
// # Invariants
//
//   - The job never waits for us: its output is drained whatever happens to the
//     disk or to a reader.
//   - On Linux the main process is reaped last, so that its number, which is
//     also the group's, cannot be given to a stranger while we still signal it.
//   - No process is signalled on its number alone: a recorded or scanned one is
//     matched by its start time first.
//   - After Done, Exit.Survivors is empty or names what KILL could not end.
//
// # Systems
//
// Linux is complete. Darwin has sessions, marks and states, but no CPU time or
// memory of the group, no cgroup and no OOM evidence. Elsewhere (Windows) only
// the main process is seen; ending it kills its tree by taskkill /T, with no
// gentle signal, and survivors cannot be looked for.
//
// Linux's parent-death signal is not used: it fires when the starting *thread*
// ends, which a Go program does not control. A killed parent's leftovers are
// ended through their Record instead (KillRecorded).
package process
