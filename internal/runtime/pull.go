package runtime

// Pulled is where a pull stands. Total is 0 while the server does not say it.
type Pulled struct {
	Done, Total int64  // bytes of the part that comes just now
	Note        string // the server's own word for what it does
}

// Unpullable says that a model could not be fetched, in the server's words.
func Unpullable(server, model, said string) *Error {
	e := Missing(server, model)
	e.Text += ", and could not fetch it: " + said
	e.Detail[DetailSaid] = said
	return e
}
