package plan

import "candor"

// answering are the options that say how an answer is made, and not with how
// much room.
func (o *optionsObject) answering() []way {
	return []way{
		{"temperature", o.Temperature.leaf}, {"seed", o.Seed.leaf}, {"top_p", o.TopP.leaf}, {"top_k", o.TopK.leaf},
		{"repeat_penalty", o.RepeatPenalty.leaf}, {"stop", o.Stop.leaf}, {"think", o.Think.leaf},
	}
}

// misplaced is where a key belongs that many look for here.
func (o *optionsObject) misplaced(key string) string {
	switch nearest(key, []string{"max_tokens", "schema"}) {
	case "max_tokens":
		return "the longest answer is max_tokens: beside options, not in it"
	case "schema":
		return "the form of the answer is schema: beside options, not in it"
	}
	return ""
}

// options fills in how a model answers.
func (c *compiler) options(t *task) candor.LLMOptions {
	given := t.Options.object
	o := candor.LLMOptions{
		Context:       c.whole(given.NumCtx, "num_ctx", 1, candor.MaxContext),
		MaxTokens:     c.whole(t.MaxTokens, "max_tokens", 1, candor.MaxContext),
		Temperature:   c.number(given.Temperature, "temperature", 0, candor.MaxTemperature),
		TopP:          c.number(given.TopP, "top_p", 0, 1),
		RepeatPenalty: c.number(given.RepeatPenalty, "repeat_penalty", 0, candor.MaxPenalty),
		Stop:          c.stops(given.Stop),
	}
	if given.Seed.good {
		seed := int64(c.whole(given.Seed, "seed", 0, candor.MaxSeed))
		o.Seed = &seed
	}
	if given.TopK.good {
		k := c.whole(given.TopK, "top_k", 0, candor.MaxTopK)
		o.TopK = &k
	}
	if given.Think.good {
		think := isTrue(given.Think)
		o.Think = &think
	}
	c.room(t, o)
	return o
}

// room checks that the answer leaves room for the prompt.
func (c *compiler) room(t *task, o candor.LLMOptions) {
	switch {
	case o.Context == 0 || t.Embed.given():
	case o.MaxTokens >= o.Context:
		c.wrong(t.MaxTokens.node, "num_ctx has to hold the prompt and the answer", "max_tokens %d leaves nothing of num_ctx %d for the prompt", o.MaxTokens, o.Context)
	case o.MaxTokens == 0 && !t.MaxTokens.given() && o.Context <= candor.DefaultMaxTokens:
		c.warn(t.Options.object.NumCtx.node, "say max_tokens", "num_ctx %d has to hold the prompt and the answer, and an answer may be %d tokens where max_tokens is left out", o.Context, candor.DefaultMaxTokens)
	}
}

func (c *compiler) stops(given list[text]) []string {
	if len(given.values) > candor.MaxStops {
		c.wrong(given.node, "", "%d texts that end an answer are more than %d", len(given.values), candor.MaxStops)
		return nil
	}
	all := c.texts(given)
	for i, s := range all {
		if len(s) > candor.MaxText {
			c.wrong(given.values[i].node, "", "a text that ends an answer has at most %d bytes", candor.MaxText)
		}
	}
	return all
}
