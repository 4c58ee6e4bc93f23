package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"candor"
	"candor/internal/httpapi/wire"
)

const jsonType = "application/json"

// object is a JSON object under construction; encoding/json sorts its keys, so
// the document is the same each time.
type object = map[string]any

// OpenAPI is the document of the route table, OpenAPI 3.1, indented.
func OpenAPI() ([]byte, error) {
	schemas, err := components()
	if err != nil {
		return nil, err
	}
	paths := object{}
	for _, route := range wire.Routes() {
		item, ok := paths[route.Path].(object)
		if !ok {
			item = object{}
			paths[route.Path] = item
		}
		item[strings.ToLower(route.Method)] = operation(route)
	}
	doc := object{
		"openapi": "3.1.0",
		"info": object{"title": "candor", "version": fmt.Sprintf("v1, protocol %d", candor.Protocol),
			"description": "The API of a candor brain. Ids in paths may be unique prefixes. Every answer that is no success carries a Problem."},
		"paths": paths,
		"components": object{
			"schemas":         schemas,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
			"responses":       object{"problem": object{"description": "What went wrong, and what to try.", "content": content(jsonType, typeRef(reflect.TypeFor[wire.Problem]()))}},
		},
	}
	return json.MarshalIndent(doc, "", "  ")
}

func operation(route wire.Route) object {
	op := object{
		"operationId":   string(route.Op),
		"summary":       route.Summary,
		"x-candor-role": string(route.Role),
		"responses":     object{"200": success(route), "default": object{"$ref": "#/components/responses/problem"}},
	}
	if route.Role != wire.RolePublic {
		op["security"] = []object{{"token": []string{}}}
	}
	if params := parameters(route); len(params) > 0 {
		op["parameters"] = params
	}
	if route.Request != nil {
		op["requestBody"] = object{"required": true, "content": content(jsonType, typeRef(route.Request)), "x-candor-max-bytes": route.Body}
	}
	return op
}

func success(route wire.Route) object {
	body := object{}
	if route.Reply != nil {
		maps.Copy(body, content(jsonType, typeRef(route.Reply)))
	}
	if route.Stream != "" {
		maps.Copy(body, content(route.Stream, object{"type": "string"}))
	}
	if len(body) == 0 {
		body = content(jsonType, object{"type": "object"})
	}
	return object{"description": "OK", "content": body}
}

func content(media string, schema any) object { return object{media: object{"schema": schema}} }

func parameters(route wire.Route) []object {
	var params []object
	for part := range strings.SplitSeq(route.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params = append(params, object{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	for _, p := range route.Query {
		params = append(params, object{"name": p.Name, "in": "query", "description": p.Text, "schema": object{"type": p.Type}})
	}
	return params
}

// typeRef is how the document names a type.
func typeRef(t reflect.Type) any {
	if t.Kind() == reflect.Slice {
		return object{"type": "array", "items": typeRef(t.Elem())}
	}
	return object{"$ref": refTo(t)}
}

func refTo(t reflect.Type) string { return "#/components/schemas/" + t.Name() }

// components are the schemas of all types that the routes speak of.
func components() (map[string]*jsonschema.Schema, error) {
	named := map[reflect.Type]bool{}
	collect(reflect.TypeFor[wire.Problem](), named)
	for _, route := range wire.Routes() {
		for _, t := range []reflect.Type{route.Request, route.Reply} {
			if t != nil {
				collect(t, named)
			}
		}
	}
	schemas := map[string]*jsonschema.Schema{}
	for t := range named {
		overrides := leaves()
		for other := range named {
			if other != t && !embeds(t, other) {
				overrides[other] = &jsonschema.Schema{Ref: refTo(other)}
			}
		}
		s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: overrides})
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", t.Name(), err)
		}
		s.AdditionalProperties = nil // shapes grow: readers ignore what they do not know
		for _, p := range s.Properties {
			plainRef(p)
		}
		schemas[t.Name()] = s
	}
	return schemas, nil
}

// plainRef mends a reference made of a pointer: the generator adds that it may
// be null, which as a second condition beside the reference nothing could meet.
// Pointers are left out when they are nil, never null.
func plainRef(s *jsonschema.Schema) {
	if s.Ref != "" {
		s.Types = nil
	}
}

// collect adds the struct types that t is made of.
func collect(t reflect.Type, named map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collect(t.Elem(), named)
	case reflect.Struct:
		if _, leaf := leaves()[t]; leaf || named[t] {
			return
		}
		named[t] = true
		for _, f := range reflect.VisibleFields(t) {
			if f.Tag.Get("json") != "-" {
				collect(f.Type, named)
			}
		}
	}
}

func embeds(t, other reflect.Type) bool {
	return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.Anonymous && f.Type == other })
}

// leaves are the types whose JSON is not what reflection sees.
func leaves() map[reflect.Type]*jsonschema.Schema {
	text := func(description, pattern string) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Description: description, Pattern: pattern}
	}
	return map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[candor.TaskID]():     text("task id", "^t_[0-9a-z]{8}$"),
		reflect.TypeFor[candor.BatchID]():    text("batch id", "^b_[0-9a-z]{8}$"),
		reflect.TypeFor[candor.Duration]():   text("duration with a unit: 90s, 10m, 1h30m", ""),
		reflect.TypeFor[candor.Bytes]():      {Types: []string{"integer", "string"}, Description: "bytes, or text with a unit: 24GiB"},
		reflect.TypeFor[json.RawMessage]():   {Description: "any JSON value"},
		reflect.TypeFor[time.Time]():         {Type: "string", Format: "date-time"},
		reflect.TypeFor[candor.Class]():      closed(candor.Classes()),
		reflect.TypeFor[candor.TaskState]():  closed(candor.TaskStates()),
		reflect.TypeFor[candor.ReasonCode](): closed(candor.ReasonCodes()),
		reflect.TypeFor[candor.Level]():      closed(wire.Levels()),
	}
}

func closed[T ~string](list []T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range list {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

// openapi serves the document.
func (c *call) openapi() error {
	doc, err := OpenAPI()
	if err != nil {
		return fmt.Errorf("print the API's document: %w", err)
	}
	c.write(c.w, http.StatusOK, doc)
	return nil
}
