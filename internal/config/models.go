package config

import "candor"

// Models says which model server a worker of this machine uses.
type Models struct {
	Server      string          `koanf:"server" default:"auto" enum:"auto,none,ollama,llama-server,openai" doc:"Which model server a worker uses for llm tasks. auto: an Ollama, if the machine has one. openai: any server that speaks OpenAI's API, at models.url."`
	URL         []string        `koanf:"url" doc:"Model servers that run already, for worker-1, worker-2 and so on (gpu-0, gpu-1 where there are cards). Empty: each worker starts one of its own."`
	Command     string          `koanf:"command" doc:"Program of a model server that a worker starts. Empty: ollama or llama-server, found on PATH."`
	Dir         Path            `koanf:"dir" doc:"Folder of the models: what OLLAMA_MODELS is to Ollama, or a folder of GGUF files for llama-server. Empty: the server's own choice."`
	Port        int             `koanf:"port" default:"0" min:"0" doc:"Port for the model server of the first worker, one more for each further one; if it is taken, any free one. 0: any free one."`
	Parallel    int             `koanf:"parallel" default:"4" min:"1" doc:"Requests that a model server answers at once. Each takes memory for a context of its own."`
	Context     int             `koanf:"context" default:"4096" min:"256" doc:"Tokens of one conversation that models are loaded with, where a plan does not ask for more."`
	MaxLoaded   int             `koanf:"max_loaded" default:"3" min:"1" doc:"Models that one server may hold at once, if they fit."`
	OnGPU       string          `koanf:"on_gpu" default:"auto" enum:"auto,require,allow" doc:"Whether a model must be on the GPU as a whole. auto: yes where the worker has a GPU. A load that ends in the memory of the CPU has failed then."`
	LoadTimeout candor.Duration `koanf:"load_timeout" default:"10m" min:"1s" doc:"Time that loading a model may take."`
	Patience    candor.Duration `koanf:"token_patience" default:"60s" min:"1s" doc:"A server that has requests and has not produced a token for this long hangs, whatever its API answers. It is started again."`
	Threads     int             `koanf:"threads" default:"0" min:"0" doc:"CPU threads of a model. 0: the server's choice."`
	APIKeyFile  Path            `koanf:"api_key_file" doc:"File with the key for a server at models.url that wants one."`
}

// Placement says which worker should hold which model.
type Placement struct {
	MaxHot       int             `koanf:"max_hot" default:"0" min:"0" live:"yes" doc:"Workers that may hold the same model at once. 0: as many as the work is worth."`
	Hold         candor.Duration `koanf:"hold" default:"1m" min:"1ms" live:"yes" doc:"A model that was loaded stays at least this long while it is used, so that models do not push each other out in turns."`
	MaxWait      candor.Duration `koanf:"max_wait" default:"10m" min:"1s" live:"yes" doc:"Tasks that have waited this long for their model get a worker, whichever model leaves for it."`
	Expect       candor.Duration `koanf:"expect" default:"60s" min:"1s" live:"yes" doc:"A load that was ordered this long ago, while workers it is for still have no model, is told in the log with each one's reason."`
	Expiry       candor.Duration `koanf:"expiry" default:"15m" min:"1s" live:"yes" doc:"An order about a model that nobody has taken by then is dropped."`
	LoadsPerHost int             `koanf:"loads_per_host" default:"1" min:"1" live:"yes" doc:"Loads at the same time on one machine: they share its disk."`
	IdleUnload   candor.Duration `koanf:"idle_unload" default:"0s" min:"0s" live:"yes" doc:"A model that nobody has asked for this long is unloaded. 0s: it stays until its room is needed."`
	LoadGuess    candor.Duration `koanf:"load_guess" default:"15s" min:"1ms" live:"yes" doc:"What loading a model is taken to last before one was measured."`
	RunGuess     candor.Duration `koanf:"run_guess" default:"5s" min:"1ms" live:"yes" doc:"What a task of a model is taken to last before one was measured."`
	Retry        candor.Duration `koanf:"retry" default:"30s" min:"1ms" live:"yes" doc:"Pause after a load failed on a worker, before the same is tried there again; it doubles with each further failure."`
	Off          bool            `koanf:"off" default:"false" live:"yes" doc:"No loads are ordered but those that a person asks for."`
}

// Heat bounds the temperature of cards.
type Heat struct {
	Limit  int `koanf:"limit" default:"85" min:"0" live:"yes" doc:"Degrees Celsius from which on a worker whose card is so hot gets nothing new. 0: no limit."`
	Resume int `koanf:"resume" default:"75" min:"0" live:"yes" doc:"Degrees Celsius below which it gets tasks again."`
}
