package cli

import (
	"strconv"
	"strings"
	"time"

	"candor"
	"candor/internal/simrt"
)

// readFaults reads KIND or KIND:key=value,... of each --fault.
func readFaults(list []string) ([]simrt.Fault, error) {
	var faults []simrt.Fault
	for _, text := range list {
		f, err := readFault(text)
		if err != nil {
			return nil, err
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func readFault(text string) (simrt.Fault, error) {
	kind, rest, more := strings.Cut(text, ":")
	f := simrt.Fault{Kind: simrt.Kind(kind)}
	if kind == "" {
		return f, usage("--fault %q names no kind: %s", text, join(simrt.Kinds()))
	}
	if err := oneOf("--fault", kind, words(simrt.Kinds())); err != nil || !more {
		return f, err
	}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(part, "=")
		if err := setFault(&f, key, value); err != nil {
			return f, err
		}
	}
	return f, nil
}

// setFault takes one key of a fault.
func setFault(f *simrt.Fault, key, value string) error {
	var err error
	switch key {
	case "model":
		if f.Model = value; !strings.Contains(value, ":") {
			f.Model += ":latest"
		}
	case "times":
		f.Times, err = strconv.Atoi(value)
	case "after":
		f.After, err = strconv.Atoi(value)
	case "delay":
		var d candor.Duration
		err = d.UnmarshalText([]byte(value))
		f.DelayMS = int64(d.D() / time.Millisecond)
	case "share":
		f.Share, err = strconv.ParseFloat(value, 64)
	default:
		return usage("--fault %s: %q is not one of model, times, after, delay, share", f.Kind, key)
	}
	if err != nil || f.Times < 0 || f.After < 0 || f.Share < 0 || f.Share > 1 {
		return usage("--fault %s: %q is nothing that %s can be", f.Kind, value, key)
	}
	return nil
}
