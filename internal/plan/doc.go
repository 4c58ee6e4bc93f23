// Package plan turns a plan file into a checked [candor.Submission].
//
// A plan is YAML: inputs, and tasks that need each other. [Load] reads it,
// fills the inputs in, expands globs and lists into items and puts the tasks in
// an order in which each comes after what it needs. [Schema] publishes the
// format, generated from the same Go types that the reader obeys, so that an
// editor and candor agree about every key.
//
// The package does not talk to a brain, run anything or know any worker:
// whether a task fits somewhere is a question for the code that decides.
//
// Invariants:
//
//   - everything wrong with a plan is found before anything is created, and all
//     of it is told at once: file, line, column, the source line, a caret, a hint;
//   - what Load returns passes [candor.Submission.Validate];
//   - the value of an input and the name of a file are data: they reach commands
//     as environment variables and arguments, byte for byte, and are never
//     pasted into shell text nor read as glob patterns;
//   - a file that is hostile (alias bombs, duplicate keys, binary, huge) costs a
//     bounded amount of time and memory, and gets an answer like any other.
package plan
