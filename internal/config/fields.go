package config

import (
	"iter"
	"reflect"
)

// fields walks the settings of c with their keys.
func fields(c Config) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		walk(reflect.ValueOf(c), "", yield)
	}
}

func walk(v reflect.Value, prefix string, yield func(string, any) bool) bool {
	for f, value := range v.Fields() {
		name := prefix + f.Tag.Get("koanf")
		if value.Kind() == reflect.Struct {
			if !walk(value, name+".", yield) {
				return false
			}
			continue
		}
		if !yield(name, value.Interface()) {
			return false
		}
	}
	return true
}
