package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Example is a configuration file with every key at its default and what it means.
func Example() string {
	var b strings.Builder
	b.WriteString("# yaml-language-server: $schema=" + SchemaFile + "\n")
	b.WriteString("#\n# Every setting of candor with its default. A file needs only what differs.\n")
	b.WriteString("# Read, the first that speaks of a key wins: flags, CANDOR_* variables,\n")
	b.WriteString("# ./candor.yaml, $XDG_CONFIG_HOME/candor/config.yaml, /etc/candor/config.yaml.\n")
	b.WriteString("# \"candor config show --origin\" says what holds and why; \"candor schema config\"\n")
	b.WriteString("# prints the schema named above.\n")
	root().write(&b, "")
	return b.String()
}

func (s section) write(b *strings.Builder, indent string) {
	for _, k := range s.keys {
		b.WriteString("\n")
		comment(b, indent, k.Doc)
		comment(b, indent, k.remark())
		fmt.Fprintf(b, "%s%s: %s\n", indent, leaf(k.Name), k.yaml())
	}
	for _, sub := range s.sections {
		b.WriteString("\n")
		comment(b, indent, sub.doc)
		fmt.Fprintf(b, "%s%s:\n", indent, leaf(sub.name))
		var inner strings.Builder
		sub.write(&inner, indent+"  ")
		b.WriteString(strings.TrimPrefix(inner.String(), "\n"))
	}
}

// remark names the variable and the values.
func (k Key) remark() string {
	r := "$" + k.Env
	if k.Enum != nil {
		r += "; " + strings.Join(k.Enum, ", ")
	}
	if k.Live {
		r += "; taken up on SIGHUP"
	}
	return r
}

func (k Key) yaml() string {
	switch k.Type.Kind() {
	case reflect.Slice:
		return "[" + k.Default + "]"
	case reflect.Int, reflect.Bool:
		return k.Default
	case reflect.Int64:
		return k.Default
	default:
		if k.Default == "" {
			return strconv.Quote("")
		}
		return k.Default
	}
}

const commentWidth = 96

// comment wraps a text into comment lines.
func comment(b *strings.Builder, indent, text string) {
	line := indent + "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > commentWidth {
			b.WriteString(line + "\n")
			line = indent + "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
