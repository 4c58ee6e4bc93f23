package candor

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxName is the longest name of a step, an output or an input, in bytes.
const MaxName = 64

var (
	namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	envPattern  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// ValidName tells whether name may be that of a step, an output or an input.
// Names become folders, and parts of the names of environment variables.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// NameRule says in words what ValidName accepts.
const NameRule = "1 to 64 of a-z, 0-9, _ and -, not beginning with _ or -"

// ValidEnvName tells whether name may be that of an environment variable.
func ValidEnvName(name string) bool { return envPattern.MatchString(name) }

// EnvName is how a name is written inside the name of an environment variable:
// split-text becomes SPLIT_TEXT.
func EnvName(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// NeedDirEnv names the variable that holds the folder of a needed step.
func NeedDirEnv(step string) string { return "NEEDS_" + EnvName(step) + "_DIR" }

// NeedOutputEnv names the variable that holds the path of a needed step's output.
func NeedOutputEnv(step, output string) string {
	return "NEEDS_" + EnvName(step) + "_" + EnvName(output)
}

// InputEnv names the variable that holds an input of the plan.
func InputEnv(input string) string { return "INPUT_" + EnvName(input) }

// ReservedEnv tells whether only candor itself may set the variable: a plan that
// could would lie to its own commands about who they are.
func ReservedEnv(name string) bool {
	switch name {
	case "ITEM", "BATCH_DIR", "PLAN_DIR":
		return true
	}
	for _, prefix := range []string{"CANDOR_", "NEEDS_", "ITEM_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// plainText tells whether s is one line of at most limit bytes without control
// characters: fit for a log line.
func plainText(s string, limit int) bool {
	if len(s) > limit || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}

// Passable tells whether s can be an argument or a variable of a process: UTF-8
// without zero bytes, of at most MaxArgument bytes.
func Passable(s string) bool {
	return len(s) <= MaxArgument && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}
