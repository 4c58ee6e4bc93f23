package runtime

import (
	"slices"
	"strings"
)

// MarkName is the environment variable that a managed server and its runners
// carry, so that those which outlive a killed server can be told from others'.
const MarkName = "CANDOR_MODEL_SERVER"

// Mark is what the processes of one managed server carry in their environment,
// and no others: a later start for the same card and owner has the same mark,
// so that it finds what an earlier one left. No card is the CPU.
func Mark(card, owner string) []string {
	if card == "" {
		card = "cpu"
	}
	return []string{MarkName + "=" + card + "@" + owner}
}

// CardEnv are the variables that show a managed server one card, by its full
// UUID, or with "" none. Indices change with the order in which cards are
// counted; a UUID does not. The other vendors' variables hide their cards,
// which would be seen too.
func CardEnv(uuid string, amd bool) []string {
	cuda, rocm := uuid, ""
	if amd {
		cuda, rocm = "", uuid
	}
	return []string{
		"CUDA_DEVICE_ORDER=PCI_BUS_ID",
		"CUDA_VISIBLE_DEVICES=" + hidden(cuda),
		"ROCR_VISIBLE_DEVICES=" + hidden(rocm),
		"GGML_VK_VISIBLE_DEVICES=-1",
	}
}

// hidden is the value that hides every card: an empty one is read as "not set"
// by some of the libraries.
func hidden(uuid string) string {
	if uuid == "" {
		return "-1"
	}
	return uuid
}

// Environ is a managed server's whole environment: base, as KEY=value, with
// what was decided in its place, and without what is not for a model server.
func Environ(base, decided []string) []string {
	taken := map[string]bool{}
	for _, entry := range decided {
		taken[key(entry)] = true
	}
	kept := slices.DeleteFunc(slices.Clone(base), func(entry string) bool {
		return taken[key(entry)] || private(key(entry))
	})
	return append(kept, decided...)
}

func key(entry string) string {
	k, _, _ := strings.Cut(entry, "=")
	return k
}

// private says whether a variable is not for a model server: candor's own,
// the service manager's, and older names that would choose a card again.
func private(key string) bool {
	return strings.HasPrefix(key, "CANDOR_") || slices.Contains([]string{
		"HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
	}, key)
}
