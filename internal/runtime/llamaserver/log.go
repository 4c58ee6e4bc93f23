package llamaserver

import (
	"bufio"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"candor/internal/runtime"
)

// logKeep is how much a running model's log may grow before it is emptied: at
// the verbosity that tells sizes, each request adds some 2.5 KB.
const logKeep = 1 << 20

// size is what a model said of the memory it took, in bytes.
type size struct{ all, vram int64 }

// readSizes adds up the buffers that a model's log tells of.
func readSizes(log io.Reader) (s size, ok bool) {
	// Like "load_tensors:  CUDA0 model buffer size =  1.50 MiB".
	buffer := regexp.MustCompile(`:\s+(\S+)\s+(model|KV|RS|compute|output) buffer size =\s*([0-9.]+) MiB`)
	offloaded := regexp.MustCompile(`offloaded ([0-9]+)/([0-9]+) layers to GPU`)
	width := regexp.MustCompile(`print_info: (n_vocab|n_embd) +=\s*([0-9]+)`)
	host, widths, whole := map[string]int64{}, map[string]int64{}, false
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		line := lines.Text()
		if found := buffer.FindStringSubmatch(line); found != nil {
			mib, _ := strconv.ParseFloat(found[3], 64) // digits, by the pattern
			ok = true
			if n := int64(mib * (1 << 20)); onCard(found[1]) {
				s.vram += n
			} else {
				host[found[2]] += n
			}
		} else if found := offloaded.FindStringSubmatch(line); found != nil {
			whole = found[1] == found[2]
		} else if found := width.FindStringSubmatch(line); found != nil {
			widths[found[1]], _ = strconv.ParseInt(found[2], 10, 64) // digits
		}
	}
	if whole {
		byDesign(host, widths["n_vocab"]*widths["n_embd"])
	}
	s.all = s.vram
	for _, n := range host {
		s.all += n
	}
	return s, ok
}

// byDesign takes out what llama.cpp keeps in the machine's memory when every
// layer lies on a card: the table of the tokens' embeddings, of as many numbers
// of at most four bytes, and what it hands to the card. More than that table is
// a part of the model that does not lie there.
func byDesign(host map[string]int64, numbers int64) {
	delete(host, "compute")
	delete(host, "output")
	if host["model"] <= 4*numbers {
		delete(host, "model")
	}
}

// onCard says whether a buffer of that name lies on a card. The CPU's are
// called CPU, CPU_Mapped or CPU_REPACK; memory of the machine that a card can
// reach ends in _Host.
func onCard(name string) bool {
	return !strings.HasPrefix(name, "CPU") && !strings.HasSuffix(name, "_Host")
}

// learn reads a model's sizes from its log, once it is loaded.
func (c *Client) learn(id string) {
	if c.opts.Managed == nil {
		return
	}
	f, err := os.Open(c.logOf(id))
	if err != nil {
		return
	}
	defer f.Close()
	if s, ok := readSizes(f); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.learned[id] = s
	}
}

// sizes is what a model said it takes.
func (c *Client) sizes(id string) (all, vram int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.learned[id]
	return s.all, s.vram, ok
}

// trim empties a running model's log when it has grown. The model goes on
// writing where it was; what lies before takes no room on the disk.
func (c *Client) trim(id string) {
	if c.opts.Managed == nil {
		return
	}
	path := c.logOf(id)
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	c.mu.Lock()
	grown := info.Size() - c.trimmed[id]
	if grown > logKeep {
		c.trimmed[id] = info.Size()
	}
	c.mu.Unlock()
	if grown > logKeep {
		_ = os.Truncate(path, 0) // it is tried again when it has grown further
	}
}

// forget makes room for what a new process of the model will say.
func (c *Client) forget(id string) {
	c.mu.Lock()
	delete(c.learned, id)
	delete(c.trimmed, id)
	c.mu.Unlock()
	if c.opts.Managed != nil {
		os.Remove(c.logOf(id))
	}
}

// tooLarge are the words, in lower case, of a model for which there is no room.
func tooLarge() []string {
	return []string{"out of memory", "failed to allocate", "unable to allocate", "bad_alloc", "cannot allocate memory"}
}

// failure says why a model could not be loaded. The router has no more than an
// exit code; the words are in the model's own log.
func (c *Client) failure(m model) error {
	said := "it exited with code " + strconv.Itoa(m.Status.Exit)
	code := runtime.CodeBroken
	if c.opts.Managed == nil {
		return runtime.Said(code, m.ID, 0, said)
	}
	text, err := os.ReadFile(c.logOf(m.ID))
	if err != nil {
		return runtime.Said(code, m.ID, 0, said)
	}
	first := ""
	for line := range strings.Lines(string(text)) {
		what, ok := complaint(line)
		if !ok {
			continue
		}
		if first == "" {
			first = what
		}
		for _, words := range tooLarge() {
			if strings.Contains(strings.ToLower(what), words) {
				return runtime.Said(runtime.CodeTooLarge, m.ID, 0, what)
			}
		}
	}
	if first != "" {
		said = first
	}
	return runtime.Said(code, m.ID, 0, said)
}

// complaint is what a line of the log says, when it is an error: its time and
// its level stand before it.
func complaint(line string) (string, bool) {
	at, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
	level, what, _ := strings.Cut(rest, " ")
	return strings.TrimSpace(what), ok && level == "E" && strings.Contains(at, ".")
}
