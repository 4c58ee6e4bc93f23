package plan

import "go.yaml.in/yaml/v3"

// The types below are the format: the reader takes its keys from them, and so
// does the schema, with its descriptions. A field without omitempty must be given.

type file struct {
	Name        text         `json:"name,omitempty" jsonschema:"What batches of this plan are called; the file's name if it is left out. May hold {{ inputs.name }}."`
	Description plain        `json:"description,omitempty" jsonschema:"What the plan is for. For people."`
	Inputs      named[input] `json:"inputs,omitempty" jsonschema:"Values that can be given with -i name=value. Commands get them as $INPUT_NAME."`
	Expires     duration     `json:"expires,omitempty" jsonschema:"What has not ended this long after submission is cancelled."`
	Key         text         `json:"key,omitempty" jsonschema:"Refuses a second batch while one with the same key exists. May hold {{ inputs.name }}."`
	Tasks       named[task]  `json:"tasks" jsonschema:"The tasks by name. Order does not matter: needs say what comes before what."`
}

type input struct {
	Type        plain    `json:"type,omitempty" jsonschema:"The type; string if left out. A path is made absolute: against the caller's folder if given, against the plan's folder if it is the default."`
	Default     anything `json:"default,omitempty" jsonschema:"The value if none is given. Without one the input must be given, unless required is false."`
	Description plain    `json:"description,omitempty" jsonschema:"What the input is for. For people."`
	Required    boolean  `json:"required,omitempty" jsonschema:"false: an input without a default may be left out and is empty then."`
}

type task struct {
	Description plain       `json:"description,omitempty" jsonschema:"What the task is for. For people."`
	Class       plain       `json:"class,omitempty" jsonschema:"What it needs of a worker; cpu if left out. script computes on a GPU without an LLM; llm needs its model loaded; resource loads or unloads one."`
	Run         script      `json:"run,omitempty" jsonschema:"What to do, given to sh -c. Values come as variables: $ITEM, $INPUT_NAME, $NEEDS_TASK_OUTPUT, $NEEDS_TASK_DIR, $BATCH_DIR, $PLAN_DIR."`
	Command     list[text]  `json:"command,omitempty" jsonschema:"What to do, without a shell: a program and its arguments. May hold {{ inputs.name }}, {{ item }} and {{ item.field }}, each staying within its argument."`
	When        condition   `json:"when,omitempty" jsonschema:"An input, {{ inputs.name }}: the task is left out of the plan where it is empty. Those that need it do not wait for it then."`
	Needs       list[need]  `json:"needs,omitempty" jsonschema:"Tasks that come before this one."`
	Foreach     foreach     `json:"foreach,omitempty" jsonschema:"Makes one task for each item."`
	Outputs     named[text] `json:"outputs,omitempty" jsonschema:"Files that a run must leave in its folder, by name. Paths are relative to the folder. May hold {{ inputs.name }}."`
	Timeout     duration    `json:"timeout,omitempty" jsonschema:"Ends an attempt that runs longer. No limit if left out."`
	NoProgress  duration    `json:"no_progress,omitempty" jsonschema:"Ends an attempt of which nothing has moved for so long: no output, no file that grows or changes, no candor progress. CPU time alone does not count."`
	Retries     whole       `json:"retries,omitempty" jsonschema:"How many more attempts after one that failed by the task's own fault. 0 if left out, 100 at most."`
	Backoff     duration    `json:"backoff,omitempty" jsonschema:"How long the second attempt waits; doubles with each further one."`
	Priority    whole       `json:"priority,omitempty" jsonschema:"Larger goes first, between -1000 and 1000. 0 if left out."`
	Env         named[word] `json:"env,omitempty" jsonschema:"Further environment variables. Values may hold {{ inputs.name }}."`
	Requires    requires    `json:"requires,omitempty" jsonschema:"What a worker must have."`
	VRAM        amount      `json:"vram,omitempty" jsonschema:"GPU memory it needs: 6GiB, 500MB, or a number of bytes."`
	Model       text        `json:"model,omitempty" jsonschema:"The model that must be loaded. Class llm needs it. May hold {{ inputs.name }}."`
	Accept      list[text]  `json:"accept,omitempty" jsonschema:"Class llm: other models, bigger ones, that may serve where they are loaded."`
	Prompt      letter      `json:"prompt,omitempty" jsonschema:"Class llm, instead of a command: what the model is asked. May hold {{ inputs.name }}, {{ item }}, {{ item.field }} and {{ needs.task.output }}, which is the content of that file; all of them stay data."`
	System      letter      `json:"system,omitempty" jsonschema:"What the model is told before the prompt. May hold what a prompt may."`
	Messages    messages    `json:"messages,omitempty" jsonschema:"Instead of a prompt: a conversation whose last message, of the user, is answered."`
	Embed       letter      `json:"embed,omitempty" jsonschema:"Instead of a prompt: the text whose vector is wanted. May hold what a prompt may."`
	Schema      answer      `json:"schema,omitempty" jsonschema:"The JSON Schema of the answer, or the path of a file with it, below the plan's folder. Free text if left out."`
	Options     options     `json:"options,omitempty" jsonschema:"How the model answers. A command takes only num_ctx of it."`
	MaxTokens   whole       `json:"max_tokens,omitempty" jsonschema:"The longest answer, in tokens; 2048 if left out."`
	Deadline    duration    `json:"deadline,omitempty" jsonschema:"How long one row may take. No limit but the timeout if left out."`
	Strict      boolean     `json:"strict,omitempty" jsonschema:"true: one row without an answer fails its whole chunk. Otherwise its error stands in its place."`
}

// misplaced is where a key belongs that is not a task's.
func (*task) misplaced(key string) string {
	if key == "order" || key == "orders" {
		return "orders about models are made by candor, or by you: candor model load MODEL"
	}
	return ""
}

// message is one turn of a conversation.
type message struct {
	Role    plain  `json:"role" jsonschema:"Who says it."`
	Content letter `json:"content" jsonschema:"What is said. May hold what a prompt may."`
}

// optionsObject is how a model answers.
type optionsObject struct {
	NumCtx        whole      `json:"num_ctx,omitempty" jsonschema:"How many tokens the prompt and the answer may be together. The model is loaded with room for as many."`
	Temperature   number     `json:"temperature,omitempty" jsonschema:"0 takes the likeliest word each time."`
	Seed          whole      `json:"seed,omitempty" jsonschema:"The same seed, the same answer, as far as the server can."`
	TopP          number     `json:"top_p,omitempty" jsonschema:"Only the likeliest words that together are so probable, 0 to 1."`
	TopK          whole      `json:"top_k,omitempty" jsonschema:"Only so many of the likeliest words."`
	RepeatPenalty number     `json:"repeat_penalty,omitempty" jsonschema:"Above 1: what was said is less likely to be said again."`
	Stop          list[text] `json:"stop,omitempty" jsonschema:"Texts that end the answer."`
	Think         boolean    `json:"think,omitempty" jsonschema:"Whether a model that can think before it answers does."`
}

type requires struct {
	Labels list[text] `json:"labels,omitempty" jsonschema:"Labels that the worker's owner has given it."`
	Tools  list[text] `json:"tools,omitempty" jsonschema:"Programs on the worker's PATH."`
	Worker text       `json:"worker,omitempty" jsonschema:"This worker only."`
}

// needObject is a need that says more than a name.
type needObject struct {
	Task        plain   `json:"task" jsonschema:"The task that comes before."`
	AllowFailed boolean `json:"allow_failed,omitempty" jsonschema:"Its end is enough; it may have failed."`
	All         boolean `json:"all,omitempty" jsonschema:"Wait for all items of it, although both fan out over the same."`
}

// foreachObject is a fan-out that says what the items are: one of glob, items,
// file, from.
type foreachObject struct {
	Glob  text  `json:"glob,omitempty" jsonschema:"Files below the plan's folder, or below an absolute path: * ? [a-z] {a,b} and ** for folders. Each item is an absolute path."`
	Items items `json:"items,omitempty" jsonschema:"The items themselves, of any JSON type, or a list input in {{ }}."`
	File  text  `json:"file,omitempty" jsonschema:"A file of rows, below the plan's folder or by absolute path: .jsonl, one JSON value on each line, or .csv, whose header names the fields. May hold {{ inputs.name }}."`
	From  text  `json:"from,omitempty" jsonschema:"task.output: a JSON file that this task writes and declares."`
	Path  plain `json:"path,omitempty" jsonschema:"Where in that file the list is: a.b.c. The document itself if left out."`
	Chunk whole `json:"chunk,omitempty" jsonschema:"Makes one task for so many items, instead of one for each. 10000 at most."`
}

// leaf is a value as written: its node if it was given, and whether it had the
// right kind. What was not right has been reported already.
type leaf struct {
	node *yaml.Node
	good bool
}

// given tells whether the key is there, right or wrong.
func (l leaf) given() bool { return l.node != nil }

type (
	text     struct{ leaf } // a string that may hold variables
	plain    struct{ leaf } // a string that may not
	script   struct{ leaf } // a string for a shell, in which variables are refused
	word     struct{ leaf } // a string, number or bool, kept as written
	letter   struct{ leaf } // a string for a model, that may also hold the item and outputs
	boolean  struct{ leaf } // true or false
	whole    struct{ leaf } // a whole number, or a string with variables
	number   struct{ leaf } // a number, or a string with variables
	duration struct{ leaf } // 90s, 10m
	amount   struct{ leaf } // 6GiB, or bytes
	anything struct{ leaf } // any JSON value
	items    struct{ leaf } // a list of anything, or a variable
	answer   struct{ leaf } // a JSON Schema, or the path of one

	condition struct{ leaf } // an input in {{ }}
)

// need is a name, or an object.
type need struct {
	leaf
	name   string
	object needObject
}

// foreach is the name of a task whose items are shared, or an object.
type foreach struct {
	leaf
	task   string
	object foreachObject
}

// options are as given.
type options struct {
	leaf
	object optionsObject
}

// messages are a list of at least one.
type messages = list[message]

// pair is an entry of a mapping, in the order of the file.
type pair[T any] struct {
	key    *yaml.Node
	value  T
	broken bool // something in the value was wrong
}

// named is a mapping from names to values, in the order of the file.
type named[T any] struct {
	leaf
	pairs []pair[T]
}

// list is a sequence.
type list[T any] struct {
	leaf
	values []T
}
