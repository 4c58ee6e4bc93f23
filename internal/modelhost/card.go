package modelhost

import "candor"

// Card is the memory of the card that the server uses.
type Card struct {
	Free, Total candor.Bytes
	Holders     []Holder // whoever uses it, the server's own processes included
}

// Holder is a process that has memory on the card.
type Holder struct {
	PID     int
	Program string
	Memory  candor.Bytes // 0: not known
}
