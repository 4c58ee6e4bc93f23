package httpapi

import (
	"reflect"

	"candor/internal/httpapi/wire"
)

// HandlerTypes are the types that the handler of op takes and gives.
func HandlerTypes(op wire.Op) (request, reply reflect.Type, ok bool) {
	h, ok := handlers()[op]
	return h.request, h.reply, ok && h.run != nil
}

// Decode reads a request's body.
var Decode = decode
