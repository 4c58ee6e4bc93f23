// Package gpu finds the GPUs of this machine and reads their memory, heat,
// power and load by running the vendors' own tools (nvidia-smi, rocm-smi).
//
// It is not a judge: whether a card is too hot, too full or broken is decided
// elsewhere, from these numbers. It changes nothing on a card.
//
// Invariants:
//
//   - One unreadable field spoils nothing else: every number is a Reading that
//     is known or not, with the tool's own text kept.
//   - A machine without GPUs is not an error. Whatever a tool does (missing,
//     hanging, failing) becomes a State with a sentence; an error is only
//     returned when the caller's context ended.
//   - Memory is in bytes, power in watts, heat in degrees Celsius, load as a
//     ratio from 0 to 1, whatever unit the tool prints.
//   - A tool that hangs in the kernel, where no signal reaches it, costs its
//     time limit and not the caller.
package gpu
