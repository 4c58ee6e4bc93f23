package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"candor"
)

// Grant is one line of a tokens file: what the bearer of Token may do.
type Grant struct {
	Role  candor.Role
	Token string
}

// minToken is the shortest token that is taken: 16 characters can hold 80
// random bits, below it guessing over the network begins to make sense.
const minToken = 16

// ReadGrants reads a brain's tokens file: lines of role and token, # comments.
// The file must not be open to group or others, where modes mean something.
func ReadGrants(path string) ([]Grant, error) {
	lines, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	var grants []Grant
	for _, l := range lines {
		if len(l.words) != 2 {
			return nil, badToken(path, l.number, "is not a role and a token")
		}
		g := Grant{Role: candor.Role(l.words[0]), Token: l.words[1]}
		switch g.Role {
		case candor.RoleViewer, candor.RoleOperator, candor.RoleWorker:
		default:
			return nil, badToken(path, l.number, fmt.Sprintf("names the role %q", l.words[0]))
		}
		if len(g.Token) < minToken {
			return nil, badToken(path, l.number, fmt.Sprintf("has a token of fewer than %d characters", minToken))
		}
		grants = append(grants, g)
	}
	if len(grants) == 0 {
		return nil, &candor.Error{Code: candor.CodeInvalid, Message: "tokens file " + path + " holds no token", Hint: tokenHint}
	}
	return grants, nil
}

// ReadToken reads a client's token: the first line that is no comment, alone or
// after a role, so that a line of the brain's file serves as it is.
func ReadToken(path string) (string, error) {
	lines, err := readPrivate(path)
	if err != nil {
		return "", err
	}
	if len(lines) == 0 || len(lines[0].words) > 2 {
		return "", &candor.Error{Code: candor.CodeInvalid, Message: "token file " + path + " holds no token",
			Hint: "write the token on a line of its own"}
	}
	words := lines[0].words
	return words[len(words)-1], nil
}

const tokenHint = "write lines like: operator 4f6c…, worker 9b1e…, viewer 77d0…"

func badToken(path string, line int, what string) error {
	return &candor.Error{Code: candor.CodeInvalid, Message: fmt.Sprintf("%s:%d %s", path, line, what), Hint: tokenHint}
}

type privateLine struct {
	number int
	words  []string
}

func readPrivate(path string) ([]privateLine, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &candor.Error{Code: candor.CodeInvalid, Message: "the token file cannot be read", Cause: err, Hint: fileHint(err)}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat token file: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, &candor.Error{Code: candor.CodeInvalid,
			Message: fmt.Sprintf("token file %s is open to others (mode %04o)", path, info.Mode().Perm()), Hint: "chmod 600 " + path}
	}
	var lines []privateLine
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		words := strings.Fields(s.Text())
		if len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			lines = append(lines, privateLine{n, words})
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read token file %s: %w", path, err)
	}
	return lines, nil
}

func fileHint(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "make one, mode 600"
	}
	return ""
}
