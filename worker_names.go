package candor

import (
	"fmt"
	"strings"
)

// CheckWorkerName refuses a name that candor's own processes bear: lines, log
// files and debug rings are kept by name. Capitals make no difference, since
// they make none to some file systems.
func CheckWorkerName(name string) error {
	switch strings.ToLower(name) {
	case "brain", "up", "run", "demo":
		return &Error{Code: CodeInvalid, Message: fmt.Sprintf("a worker cannot be called %q: candor's own log is kept under that name", name),
			Hint: "give it another name: --name"}
	}
	return nil
}

// CheckTexts refuses what a worker says of itself in other than plain text of
// one line: it is shown on terminals and written into tables.
func (in *WorkerInfo) CheckTexts() error {
	const limit = 4096
	check := func(what string, texts ...string) error {
		for _, s := range texts {
			if !plainText(s, limit) {
				return Errorf(CodeInvalid, "worker %s: its %s %q is not one line of plain text", in.Name, what, clip(s))
			}
		}
		return nil
	}
	card := in.GPU
	if card == nil {
		card = &GPU{}
	}
	for _, err := range []error{
		check("host", in.Host), check("version", in.Version), check("directory", in.Dir), check("supervisor", in.Supervisor),
		check("labels", in.Labels...), check("tools", in.Tools...), check("card", card.Name, card.UUID),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}
