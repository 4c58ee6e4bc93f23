package httpapi

import (
	"context"
	"net"
	"os"
	"os/user"
	"strings"

	"candor"
)

// connKey is under which a request's context holds its connection.
type connKey struct{}

func keepConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// peer is who asks, for the record, as far as the connection tells: over a unix
// socket the user as the kernel knows him, in the form that the CLI gives itself
// (root@rig); else the token's role and the address.
func (c *call) peer() string {
	if conn, is := c.r.Context().Value(connKey{}).(*net.UnixConn); is {
		if uid, ok := socketUser(conn); ok {
			return localUser(uid)
		}
	}
	host := remoteHost(c.r)
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if ok && c.opts.Tokens != nil && !overUnix(c.r) {
		if roles := c.opts.Tokens.roles(token); len(roles) > 0 {
			return string(roles[0]) + "@" + host
		}
	}
	return host
}

// by is who a change is said to be made by: what the request says, or else who
// asks.
func (c *call) by(said string) string {
	if said != "" {
		return said
	}
	return c.peer()
}

// byPeer fills in who asks for a change that does not say.
func (c *call) byPeer(req candor.ChangeRequest) candor.ChangeRequest {
	req.By = c.by(req.By)
	return req
}

func localUser(uid string) string {
	name := "uid " + uid
	if u, err := user.LookupId(uid); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
