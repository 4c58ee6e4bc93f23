package gpu

import (
	"context"
	"slices"
	"strings"
)

const nvidiaSMI = "nvidia-smi"

// The columns asked of nvidia-smi. A name with a comma in it is no rare thing
// among processes, and nothing is quoted: the free text column is found by
// counting from both ends, so there may be only one.
const (
	colIndex       = "index"
	colUUID        = "uuid"
	colName        = "name"
	colTotal       = "memory.total"
	colUsed        = "memory.used"
	colFree        = "memory.free"
	colTemperature = "temperature.gpu"
	colDraw        = "power.draw"
	colLimit       = "power.limit"
	colUtilization = "utilization.gpu"
	colBus         = "pci.bus_id"
	colDriver      = "driver_version"

	colGPU     = "gpu_uuid"
	colPID     = "pid"
	colProcess = "process_name"
	colMemory  = "used_memory"
)

func gpuColumns() []string {
	return []string{colIndex, colUUID, colName, colTotal, colUsed, colFree, colTemperature,
		colDraw, colLimit, colUtilization, colBus, colDriver}
}

func processColumns() []string { return []string{colGPU, colPID, colProcess, colMemory} }

// askNVIDIA runs nvidia-smi for the cards, and when there are any for their
// processes.
func askNVIDIA(ctx context.Context, r Runner) (tool Tool, gpus []GPU, stray []Process) {
	out, columns, err := query(ctx, r, "--query-gpu=", gpuColumns())
	tool = Tool{Vendor: NVIDIA, Name: nvidiaSMI}
	gpus, tool.Leftover = parseGPUs(string(out.Stdout), columns)
	if len(gpus) > 0 {
		tool.Driver = gpus[0].Driver
	}
	judge(&tool, out, err, len(gpus))
	if len(gpus) == 0 {
		return tool, nil, nil
	}
	out, columns, err = query(ctx, r, "--query-compute-apps=", processColumns())
	if err != nil || out.ExitCode != 0 {
		tool.Leftover = append(tool.Leftover, "processes unknown: "+firstLine(out, err))
		return tool, gpus, nil
	}
	processes, leftover := parseProcesses(string(out.Stdout), columns)
	tool.Leftover = append(tool.Leftover, leftover...)
	return tool, gpus, place(gpus, processes)
}

// query asks for columns, leaving out those that this driver's nvidia-smi does
// not know, one after the other: it names only the first.
func query(ctx context.Context, r Runner, option string, columns []string) (Output, []string, error) {
	for {
		out, err := r.Run(ctx, nvidiaSMI, option+strings.Join(columns, ","), "--format=csv,noheader,nounits")
		unknown, ok := unknownColumn(out)
		at := slices.Index(columns, unknown)
		if err != nil || !ok || at < 0 || len(columns) == 1 {
			return out, columns, err
		}
		columns = slices.Delete(columns, at, at+1)
	}
}

// unknownColumn reads `Field "power.limit" is not a valid field to query.`
func unknownColumn(out Output) (string, bool) {
	for line := range strings.Lines(string(out.Stdout) + "\n" + string(out.Stderr)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), `Field "`); ok {
			name, _, found := strings.Cut(rest, `" is not a valid field`)
			return name, found
		}
	}
	return "", false
}

// splitRow cuts one CSV row into as many fields as there are columns; the free
// text column takes the commas that are left over.
func splitRow(line string, columns []string, free string) (map[string]string, bool) {
	fields := strings.Split(line, ",")
	extra := len(fields) - len(columns)
	if extra < 0 {
		return nil, false
	}
	at := slices.Index(columns, free)
	if at < 0 {
		if extra > 0 {
			return nil, false
		}
		at = len(columns)
	}
	row := make(map[string]string, len(columns))
	for i, column := range columns {
		switch {
		case i < at:
			row[column] = strings.TrimSpace(fields[i])
		case i == at:
			row[column] = strings.TrimSpace(strings.Join(fields[i:i+extra+1], ","))
		default:
			row[column] = strings.TrimSpace(fields[i+extra])
		}
	}
	return row, true
}

// parseGPUs reads the rows of --query-gpu. A line that is no row (a warning
// about an infoROM, a card that fell off the bus) goes to leftover.
func parseGPUs(out string, columns []string) (gpus []GPU, leftover []string) {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		row, ok := splitRow(line, columns, colName)
		if !ok || !identifies(row) {
			leftover = append(leftover, line)
			continue
		}
		gpus = append(gpus, GPU{
			Vendor:      NVIDIA,
			Index:       read(row[colIndex], natural),
			UUID:        row[colUUID],
			Name:        row[colName],
			BusID:       row[colBus],
			Driver:      row[colDriver],
			MemoryTotal: read(row[colTotal], amount(mebibyte)),
			MemoryUsed:  read(row[colUsed], amount(mebibyte)),
			MemoryFree:  read(row[colFree], amount(mebibyte)),
			Temperature: read(row[colTemperature], number),
			PowerDraw:   read(row[colDraw], positive),
			PowerLimit:  read(row[colLimit], positive),
			Utilization: read(row[colUtilization], percent),
		})
	}
	return gpus, leftover
}

// identifies reports whether a row names a card: without its UUID nothing can
// be started on it.
func identifies(row map[string]string) bool {
	return strings.HasPrefix(row[colUUID], "GPU-") || strings.HasPrefix(row[colUUID], "MIG-")
}

// parseProcesses reads the rows of --query-compute-apps.
func parseProcesses(out string, columns []string) (list []Process, leftover []string) {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "No running processes found") {
			continue
		}
		row, ok := splitRow(line, columns, colProcess)
		pid, isPID := natural(row[colPID])
		if !ok || !isPID || pid == 0 {
			leftover = append(leftover, line)
			continue
		}
		list = append(list, Process{
			GPUUUID: row[colGPU],
			PID:     pid,
			Name:    row[colProcess],
			Memory:  read(row[colMemory], amount(mebibyte)),
		})
	}
	return list, leftover
}

// place gives each process to its card and returns those of no listed card.
func place(gpus []GPU, processes []Process) (stray []Process) {
	for _, p := range processes {
		i := slices.IndexFunc(gpus, func(g GPU) bool { return g.UUID == p.GPUUUID && p.GPUUUID != "" })
		if i < 0 {
			stray = append(stray, p)
			continue
		}
		gpus[i].Processes = append(gpus[i].Processes, p)
	}
	return stray
}
