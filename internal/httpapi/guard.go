package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"candor"
	"candor/internal/httpapi/wire"
	"candor/internal/record"
)

const levelError = slog.LevelError

func codeAttr(code string) slog.Attr { return slog.String(record.KeyCode, code) }

// Tokens is what a tokens file grants. It keeps digests, not tokens.
type Tokens struct{ grants []grant }

type grant struct {
	role   candor.Role
	digest [sha256.Size]byte
}

// ReadTokens reads a tokens file: lines of role (viewer, operator, worker) and
// token, # comments. It must not be readable by group or others.
func ReadTokens(path string) (*Tokens, error) {
	lines, err := wire.ReadGrants(path)
	if err != nil {
		return nil, err
	}
	t := &Tokens{}
	for _, g := range lines {
		t.grants = append(t.grants, grant{g.Role, sha256.Sum256([]byte(g.Token))})
	}
	return t, nil
}

// roles are what a token grants. All digests are compared, in constant time, so
// that the time taken tells nothing about any of them.
func (t *Tokens) roles(token string) []candor.Role {
	digest := sha256.Sum256([]byte(token))
	var roles []candor.Role
	for i := range t.grants {
		if subtle.ConstantTimeCompare(digest[:], t.grants[i].digest[:]) == 1 {
			roles = append(roles, t.grants[i].role)
		}
	}
	return roles
}

// authorize says whether r may use route, before anything of it is read.
func (s *Server) authorize(r *http.Request, route wire.Route) error {
	if route.Role == wire.RolePublic || s.opts.Tokens == nil || overUnix(r) {
		return nil
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return s.denied(r, route, &candor.Error{Code: candor.CodeUnauthorized, Message: "this brain asks for a token",
			Hint: "name a file with one: --token-file or CANDOR_TOKEN_FILE"})
	}
	roles := s.opts.Tokens.roles(token)
	if len(roles) == 0 {
		return s.denied(r, route, &candor.Error{Code: candor.CodeUnauthorized, Message: "this brain does not know the token",
			Hint: "ask the brain's owner for a line of its tokens file"})
	}
	for _, role := range roles {
		if role.Allows(route.Role) {
			return nil
		}
	}
	return s.denied(r, route, &candor.Error{Code: candor.CodeForbidden,
		Message: fmt.Sprintf("the token's role is %s; %s %s needs %s", roles[0], route.Method, route.Path, route.Role),
		Hint:    fmt.Sprintf("use a token of role %s", route.Role),
		Detail:  map[string]any{"role": roles[0], "needs": route.Role}})
}

// denied logs a refusal, folded by who and where, without the token.
func (s *Server) denied(r *http.Request, route wire.Route, e *candor.Error) error {
	host := remoteHost(r)
	s.logger.LogAttrs(r.Context(), slog.LevelWarn,
		fmt.Sprintf("refused %s %s to %s: %s", route.Method, route.Path, host, e.Message),
		codeAttr("http.refused"), slog.String(record.KeyReason, string(e.Code)), record.Fold(host+" "+string(route.Op)))
	return e
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "local" // unix sockets have no address to tell
	}
	return host
}

func overUnix(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && addr.Network() == "unix"
}

// browserGuard keeps web pages out. A page may send requests to loopback from
// its visitor's browser, with a name of its own that points here (DNS
// rebinding): so without tokens only loopback's own names are taken, and
// requests that a browser marks as coming from elsewhere never are.
func (s *Server) browserGuard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if overUnix(r) {
			next.ServeHTTP(w, r)
			return
		}
		route := wire.Route{Method: r.Method, Path: r.URL.Path}
		if s.opts.Tokens == nil && !loopbackName(r.Host) {
			s.refuse(w, r, s.denied(r, route, &candor.Error{Code: candor.CodeForbidden,
				Message: "without tokens this brain answers to localhost only, not to the name in the Host header",
				Hint:    "call it by 127.0.0.1 or localhost"}))
			return
		}
		if err := cross.Check(r); err != nil {
			s.refuse(w, r, s.denied(r, route, &candor.Error{Code: candor.CodeForbidden,
				Message: "requests from web pages of another origin are refused"}))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopbackName(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
