package tinygguf

import "fmt"

// Token kinds of the format (tokenizer.ggml.token_type).
const (
	tokenNormal  int32 = 1
	tokenUnknown int32 = 2
	tokenControl int32 = 3
	tokenByte    int32 = 6
)

// Ids of the control tokens; buildVocab places them at these positions.
const (
	idUnknown = iota
	idBegin
	idEnd // ends a turn: the model's end-of-generation token
	idStart
)

// chatTemplate is the ChatML layout, which llama-server renders as Jinja and
// which Ollama recognises as one of the templates it ships.
const chatTemplate = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
	"{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

// token is one vocabulary entry. Bias is what is added to the token's random
// logit: it decides how often the token is chosen.
type token struct {
	Text  string
	Kind  int32
	Score float32 // SentencePiece merges the pair with the highest score first
	Bias  float64
}

// Logit biases by class. With a spread of about one between the random
// logits, everything below "common" is drawn only where a grammar (structured
// output) leaves no other choice.
const (
	biasNever    = -30
	biasRare     = -6
	biasCommon   = 0
	biasFrequent = 2 // spaces, and quotes so that a JSON string soon ends
	biasAlways   = 60
)

// buildVocab makes a vocabulary that can encode any input and whose likely
// outputs are readable: syllables and spaces, never a broken UTF-8 sequence.
func buildVocab(p Params) []token {
	vocab := []token{
		idUnknown: {Text: "<unk>", Kind: tokenUnknown, Bias: biasNever},
		idBegin:   {Text: "<s>", Kind: tokenControl, Bias: biasNever},
		idEnd:     {Text: "<|im_end|>", Kind: tokenControl, Bias: p.EndBias},
		idStart:   {Text: "<|im_start|>", Kind: tokenControl, Bias: biasNever},
	}
	// Every byte, so that text outside the vocabulary still has an encoding.
	for b := range 256 {
		vocab = append(vocab, token{Text: fmt.Sprintf("<0x%02X>", b), Kind: tokenByte, Bias: biasNever})
	}
	for c := byte(' '); c <= '~'; c++ {
		t := token{Text: string(rune(c)), Kind: tokenNormal, Score: -1000, Bias: biasRare}
		switch c {
		case ' ':
			t.Text, t.Bias = "\u2581", biasFrequent // SentencePiece's visible space
		case '"':
			t.Bias = biasFrequent
		}
		vocab = append(vocab, t)
	}
	common := 0
	for _, consonant := range "bdfgklmnprstvz" {
		for _, vowel := range "aeiou" {
			t := token{
				Text: string([]rune{consonant, vowel}), Kind: tokenNormal,
				Score: -float32(common), Bias: biasCommon,
			}
			if p.Stutter && common == 0 {
				t.Bias = biasAlways
			}
			vocab = append(vocab, t)
			common++
		}
	}
	return vocab
}
