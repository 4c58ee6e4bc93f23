// Package config reads candor's settings: one typed [Config] out of flags,
// environment, files and defaults, with the origin of every value kept.
//
// It is not the plan format (package plan), and it starts nothing: it reads
// files when asked to and returns values.
//
//	flag ▶ CANDOR_* ▶ ./candor.yaml ▶ user file ▶ system file ▶ default
//	(the first that speaks of a key wins)
//
// Invariants:
//
//   - the struct [Config] is the only list of settings: keys, environment names,
//     defaults, documentation, JSON Schema and the example file follow from its tags;
//   - whatever is wrong is refused whole, with file:line:column, or the name of
//     the variable or flag it came from: a typo never falls back to a default;
//   - a [Loaded] does not change; [Loaded.Reload] makes a new one or an error.
package config
