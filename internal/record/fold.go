package record

import "log/slog"

// foldMark is the value behind keyFold.
type foldMark struct {
	key     string
	content string // "" means: the record itself, its sentence and attributes
	given   bool   // content was chosen by the caller
}

// Fold marks a record as a repeat in waiting: among records with the same
// component, code and key, one whose sentence and attributes equal the previous
// one's is held back and later said once, "(same for 34s, 7 times)". A changed
// one is shown at once.
func Fold(key string) slog.Attr {
	return slog.Any(keyFold, foldMark{key: key})
}

// FoldOn is Fold for sentences with running numbers ("idle: 34s"): two records
// are the same when content is, and the summary carries the latest sentence.
func FoldOn(key, content string) slog.Attr {
	return slog.Any(keyFold, foldMark{key: key, content: content, given: true})
}
