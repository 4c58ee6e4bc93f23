// Package llamaserver speaks to llama.cpp's llama-server, and says how to start
// one.
//
// A llama-server holds one model for as long as it runs, or it is a router,
// which runs a llama-server of its own for each model that is loaded. The
// router is the form to manage: one process per card, whose models come and go.
//
// What a model is loaded with stands in the router's preset file, which belongs
// to the adapter of a managed server: a load writes the model's section, lets
// the router read the file again, and loads. A running model whose section has
// changed is ended by that, so an idle moment is waited for. Each model writes
// a log of its own, from which its sizes, and the reason of a failure, are read:
// the API has neither.
//
//	             POST load               child says so       token
//	unloaded ───────────────▶ loading ───────────────▶ loaded ─────▶ ready
//	   ▲ failed, exit_code       │                        │
//	   └─────────────────────────┴────────────────────────┘
//	         child ended                POST unload, once idle
//
// It starts no process: Serve is data. Measured behaviour is in
// docs/runtimes.md.
//
// # Invariants
//
//   - Unload is not sent while an answer is on its way: the router would kill
//     the answer with the model.
//   - A load that this adapter began and that did not end in time is undone.
//   - Only models that the router lists are written into the preset file.
package llamaserver
