// Package openai speaks to model servers that others run and that have OpenAI's
// HTTP API in common: vLLM, SGLang, LM Studio, llama-swap, a remote service.
//
// Such a server decides by itself what it holds in memory. A load is therefore
// one token, asked for and waited for, and an unload is refused. What is
// loaded is what answered lately, and what the server lists with the length of
// its context, as those do that serve one model for as long as they run.
//
// # Invariants
//
//   - A model that the server does not list is asked for nothing: some servers
//     answer with whatever they have.
//   - A context that nobody vouches for, neither the server nor the options, is
//     no context: a prompt that was cut in silence could not be noticed.
//   - The key is read from its file for each request, and is in no error.
package openai
