package gpu

// Vendor of a card.
type Vendor string

// The vendors whose tools are known.
const (
	NVIDIA Vendor = "nvidia"
	AMD    Vendor = "amd"
)

// State is what asking a vendor's tool came to.
type State string

// The states of a tool.
const (
	StateOK             State = "ok"              // every line was understood, at least one card
	StateNoDevices      State = "no_devices"      // the tool works and sees no card
	StateToolMissing    State = "tool_missing"    // not on PATH
	StateToolRefused    State = "tool_refused"    // found, but cannot be started or not allowed
	StateDriverMismatch State = "driver_mismatch" // library and kernel module differ: an upgrade without a reboot
	StateDriverMissing  State = "driver_missing"  // the tool cannot reach the kernel driver
	StateDeviceLost     State = "device_lost"     // a card fell off the bus; others may still be listed
	StateTimeout        State = "timeout"         // no answer within the limit
	StateFailed         State = "failed"          // ended with an error that none of the above explains
	StateUnreadable     State = "unreadable"      // ended well, but no line could be understood
)

// Tool is the report on one vendor's tool.
type Tool struct {
	Vendor   Vendor
	Name     string   // program name, "nvidia-smi"
	State    State    //
	Sentence string   // the state in words, with the next step where there is one
	Driver   string   // driver version; "" when unknown
	Leftover []string // output lines that were not understood, as they came
}

// Reading is one value as a tool gave it.
type Reading[T any] struct {
	Value T      // meaningful only when Known
	Known bool   //
	Raw   string // the tool's text, "[N/A]" and the like included
}

// GPU is one card.
type GPU struct {
	Vendor Vendor
	Index  Reading[int] // the tool's own order (NVIDIA: PCI bus order)
	UUID   string       // stable name of the card, fit for CUDA_VISIBLE_DEVICES or ROCR_VISIBLE_DEVICES; "" when the card has none
	Name   string
	BusID  string
	Driver string

	MemoryTotal Reading[int64] // bytes
	MemoryUsed  Reading[int64] // bytes
	MemoryFree  Reading[int64] // bytes; less than total - used where the driver reserves some

	Temperature Reading[float64] // °C
	PowerDraw   Reading[float64] // W
	PowerLimit  Reading[float64] // W
	Utilization Reading[float64] // share of time with a kernel running, 0 to 1

	Processes []Process // compute processes on this card, everybody's
}

// Process is a process that uses a GPU.
type Process struct {
	GPUUUID string // card (or MIG device) as the tool named it; "" when it did not
	PID     int
	Name    string         // as the tool gave it: a path, a name, or "[Not Found]"
	Memory  Reading[int64] // bytes of GPU memory
}

// Inventory is what one look at the machine saw.
type Inventory struct {
	GPUs     []GPU     // by vendor, then index
	Tools    []Tool    // one per tool that was asked, nvidia-smi first
	Unplaced []Process // processes on no listed card: of MIG devices, or of a tool that does not say where
}
