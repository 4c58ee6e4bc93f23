package gpu

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const rocmSMI = "rocm-smi"

// rocmArgs asks for everything in one run: each costs a second.
func rocmArgs() []string {
	return []string{"--showproductname", "--showuniqueid", "--showbus", "--showmeminfo", "vram", "--showuse",
		"--showtemp", "--showpower", "--showmaxpower", "--showdriverversion", "--showpids", "--json"}
}

// askAMD runs rocm-smi once.
func askAMD(ctx context.Context, r Runner) (tool Tool, gpus []GPU, stray []Process) {
	out, err := r.Run(ctx, rocmSMI, rocmArgs()...)
	tool = Tool{Vendor: AMD, Name: rocmSMI}
	if err == nil {
		gpus, stray, tool.Driver, tool.Leftover = parseROCm(out.Stdout)
	}
	judge(&tool, out, err, len(gpus))
	return tool, gpus, stray
}

// parseROCm reads rocm-smi's JSON: one object per card, and "system" with the
// driver and the processes. Warnings may stand before it on stdout.
func parseROCm(out []byte) (gpus []GPU, processes []Process, driver string, leftover []string) {
	at := bytes.IndexByte(out, '{')
	if at < 0 {
		return nil, nil, "", lines(out)
	}
	leftover = lines(out[:at])
	var doc map[string]map[string]any
	if err := json.NewDecoder(bytes.NewReader(out[at:])).Decode(&doc); err != nil {
		return nil, nil, "", append(leftover, fmt.Sprintf("not the JSON expected: %v", err))
	}
	system := fields(doc["system"])
	driver = system.first("Driver version")
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		index, ok := strings.CutPrefix(name, "card")
		if _, isNumber := natural(index); ok && isNumber {
			gpus = append(gpus, card(index, driver, fields(doc[name])))
		}
	}
	slices.SortFunc(gpus, func(a, b GPU) int { return a.Index.Value - b.Index.Value })
	for _, key := range slices.Sorted(maps.Keys(system)) {
		if p, ok := rocmProcess(key, system[key]); ok {
			processes = append(processes, p)
		}
	}
	return gpus, processes, driver, leftover
}

// card reads one card's object; the names of its keys changed between releases.
func card(index, driver string, f values) GPU {
	total := f.first("VRAM Total Memory (B)")
	used := f.first("VRAM Total Used Memory (B)")
	g := GPU{
		Vendor:      AMD,
		Index:       read(index, natural),
		Name:        f.first("Card Series", "Card series", "Device Name", "Card Model", "Card model"),
		BusID:       f.first("PCI Bus"),
		Driver:      driver,
		MemoryTotal: read(total, amount(1)),
		MemoryUsed:  read(used, amount(1)),
		// Cards with a hot spot sensor only (MI300) have no edge. Edge comes
		// first because it is what other vendors' limits speak of.
		Temperature: read(f.first("Temperature (Sensor edge) (C)", "Temperature (Sensor junction) (C)", "Temperature (Sensor hotspot) (C)"), number),
		PowerDraw:   read(f.first("Average Graphics Package Power (W)", "Current Socket Graphics Package Power (W)"), positive),
		PowerLimit:  read(f.first("Max Graphics Package Power (W)"), positive),
		Utilization: read(f.first("GPU use (%)"), percent),
	}
	if id, ok := strings.CutPrefix(f.first("Unique ID"), "0x"); ok {
		g.UUID = "GPU-" + id // the form that ROCR_VISIBLE_DEVICES takes
	}
	if g.MemoryTotal.Known && g.MemoryUsed.Known && g.MemoryUsed.Value <= g.MemoryTotal.Value {
		free := g.MemoryTotal.Value - g.MemoryUsed.Value
		g.MemoryFree = Reading[int64]{Value: free, Known: true, Raw: strconv.FormatInt(free, 10)}
	}
	return g
}

// rocmProcess reads `"PID4242": "python3, 1, 4294967296, 0, 0"`: name, number
// of cards, VRAM in bytes, SDMA, compute units. It does not say which card.
func rocmProcess(key, value string) (Process, bool) {
	digits, ok := strings.CutPrefix(key, "PID")
	pid, isPID := natural(digits)
	parts := strings.Split(value, ",")
	if !ok || !isPID || len(parts) < 5 {
		return Process{}, false
	}
	last := len(parts) - 4 // the name may hold commas
	return Process{
		PID:    pid,
		Name:   strings.TrimSpace(strings.Join(parts[:last], ",")),
		Memory: read(parts[last+1], amount(1)),
	}, true
}

// values are the texts of a JSON object.
type values map[string]string

func fields(object map[string]any) values {
	f := make(values, len(object))
	for key, value := range object {
		switch v := value.(type) {
		case string:
			f[key] = strings.TrimSpace(v)
		case float64:
			f[key] = strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return f
}

// first returns the first of keys that says something, or the first that is
// there at all, so that Raw can show why it is unknown.
func (f values) first(keys ...string) string {
	for _, key := range keys {
		if v := f[key]; v != "" && v != "N/A" {
			return v
		}
	}
	for _, key := range keys {
		if v := f[key]; v != "" {
			return v
		}
	}
	return ""
}

func lines(b []byte) (list []string) {
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}
