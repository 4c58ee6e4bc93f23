// Package supervise keeps child processes of candor running: a brain and its
// workers under `candor up` and `candor run`. It restarts what dies, ends what
// the dead leave behind, and tells the brain what it saw of its workers'
// processes, so that a task need not wait for a lease to run out.
//
// It does not know what its children do, and it never touches the queue. Of a
// worker it knows the name and where its lease records lie, nothing else.
//
//	          started                     ctx ends
//	waiting ──────────▶ running ──────────────────────▶ stopping ──▶ stopped
//	   ▲                   │ exited                         TERM, grace, KILL
//	   │                   ▼
//	   └── back-off ── swept: leases' processes killed and verified, told to the brain
//
// # Invariants
//
//   - Every exit is logged with its code or signal, whoever caused it.
//   - A worker is not started again before the processes of its former leases
//     are dead or named.
//   - What a worker's process did not start is not swept at its exit: another
//     worker may live under the same name.
//   - Children end with their supervisor even if it dies by KILL: each watches
//     its parent (see Orphaned).
package supervise
