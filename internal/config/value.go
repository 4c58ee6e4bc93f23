package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"candor"
)

// parse reads a value as flags, environment and defaults spell it: lists with
// commas. The error says what is wrong without naming the key.
func (k Key) parse(text string) (any, error) {
	if k.Type.Kind() == reflect.Slice {
		var items []string
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
		return k.list(items)
	}
	return k.scalar(strings.TrimSpace(text))
}

func (k Key) scalar(text string) (any, error) {
	if err := k.allowed(text); err != nil {
		return nil, err
	}
	switch k.Type {
	case reflect.TypeFor[Path]():
		return Path(text), nil
	case reflect.TypeFor[candor.Duration]():
		return parseAtLeast(k, text, parseDuration)
	case reflect.TypeFor[candor.Bytes]():
		return parseAtLeast(k, text, candor.ParseBytes)
	case reflect.TypeFor[int]():
		return parseAtLeast(k, text, parseInt)
	case reflect.TypeFor[bool]():
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, invalid(fmt.Sprintf("%q is neither true nor false", text), "")
		}
		return b, nil
	default:
		return text, nil
	}
}

func (k Key) list(items []string) (any, error) {
	for _, item := range items {
		if err := k.allowed(item); err != nil {
			return nil, err
		}
	}
	if k.Type == reflect.TypeFor[[]candor.Class]() {
		classes := make([]candor.Class, len(items))
		for i, item := range items {
			classes[i] = candor.Class(item)
		}
		return classes, nil
	}
	return slices.Clip(append([]string{}, items...)), nil
}

func (k Key) allowed(text string) error {
	if k.Enum == nil || slices.Contains(k.Enum, text) {
		return nil
	}
	message := fmt.Sprintf("%q is not one of %s", text, strings.Join(k.Enum, ", "))
	return invalid(message, didYouMean(text, k.Enum))
}

func parseAtLeast[T interface {
	~int | ~int64
	comparable
}](k Key, text string, parse func(string) (T, error)) (any, error) {
	v, err := parse(text)
	if err != nil {
		return nil, err
	}
	if k.min == "" {
		return v, nil
	}
	least, err := parse(k.min)
	if err != nil {
		return nil, fmt.Errorf("least value of %s: %w", k.Name, err)
	}
	if v < least {
		return nil, invalid(fmt.Sprintf("%s is less than %s, the least possible", text, k.min), "")
	}
	return v, nil
}

func parseDuration(text string) (candor.Duration, error) {
	var d candor.Duration
	err := d.UnmarshalText([]byte(text))
	return d, err
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalid(fmt.Sprintf("%q is not a whole number", text), "")
	}
	return n, nil
}

// formatValue writes a value as parse reads it.
func formatValue(v any) string {
	switch v := v.(type) {
	case []string:
		return strings.Join(v, ",")
	case []candor.Class:
		items := make([]string, len(v))
		for i, c := range v {
			items[i] = string(c)
		}
		return strings.Join(items, ",")
	default:
		return fmt.Sprint(v)
	}
}
