package config

import (
	"reflect"
	"strings"

	"candor"
)

// Key is one setting.
type Key struct {
	Name    string       // dotted: heartbeat.interval
	Env     string       // its environment variable
	Default string       // as text
	Doc     string       // what it means, in sentences
	Enum    []string     // the only values, if limited
	Live    bool         // a running process takes up a change on SIGHUP
	Type    reflect.Type // of the field
	min     string
}

// section is a group of keys; order is that of the struct.
type section struct {
	name     string
	doc      string
	keys     []Key
	sections []section
}

// Keys lists all settings in the order of the example file.
func Keys() []Key {
	return root().all()
}

func root() section { return readSection(reflect.TypeFor[Config](), "") }

func (s section) all() []Key {
	keys := s.keys
	for _, sub := range s.sections {
		keys = append(keys, sub.all()...)
	}
	return keys
}

func readSection(t reflect.Type, prefix string) section {
	var s section
	for i := range t.NumField() {
		f := t.Field(i)
		name := prefix + f.Tag.Get("koanf")
		if f.Type.Kind() == reflect.Struct {
			sub := readSection(f.Type, name+".")
			sub.name, sub.doc = name, f.Tag.Get("doc")
			s.sections = append(s.sections, sub)
			continue
		}
		s.keys = append(s.keys, readKey(f, name))
	}
	return s
}

func readKey(f reflect.StructField, name string) Key {
	k := Key{
		Name: name, Env: f.Tag.Get("env"), Default: f.Tag.Get("default"),
		Doc: f.Tag.Get("doc"), Live: f.Tag.Get("live") == "yes", Type: f.Type, min: f.Tag.Get("min"),
	}
	if k.Env == "" {
		k.Env = "CANDOR_" + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
	}
	if e := f.Tag.Get("enum"); e != "" {
		k.Enum = strings.Split(e, ",")
	}
	return k
}

// keyTable finds keys, and knows which names are sections.
type keyTable struct {
	byName   map[string]Key
	sections map[string][]string // section → names of its children
}

func newKeyTable() keyTable {
	t := keyTable{byName: map[string]Key{}, sections: map[string][]string{}}
	t.add(root())
	return t
}

func (t keyTable) add(s section) {
	for _, k := range s.keys {
		t.byName[k.Name] = k
		t.sections[s.name] = append(t.sections[s.name], leaf(k.Name))
	}
	for _, sub := range s.sections {
		t.sections[s.name] = append(t.sections[s.name], leaf(sub.name))
		t.add(sub)
	}
}

func leaf(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func invalid(message, hint string) *candor.Error {
	return &candor.Error{Code: candor.CodeInvalid, Message: message, Hint: hint}
}
