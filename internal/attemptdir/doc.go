// Package attemptdir is where attempts keep what they leave behind, and how it
// goes once the history of their batch does:
//
//	<state>/attempts/<batch>/<task>/<attempt>/   log, work/, progress
//
// A worker makes these folders; whoever keeps the history of the batches takes
// them away: the brain for those in its own state directory, by the batch, and a
// worker with a state directory of its own by age. It decides nothing: what may
// go is its caller's rule.
//
// Invariants:
//
//   - nothing is removed that is not a batch's folder below attempts/, by the
//     whole of its id, whatever else lies there;
//   - no link is followed: attempts/ itself must be a folder, and links in it
//     are removed, not what they name.
package attemptdir
