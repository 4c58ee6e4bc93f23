package candor

import (
	"slices"
	"strings"
)

// Programs is which commands are on the PATH that a worker's attempts get.
// Workers that are set up alike have equal ones.
type Programs struct {
	Names []string `json:"names"` // sorted
	// Fold: capitals make no difference there, and Names are in lower case.
	Fold bool `json:"fold,omitempty"`
	// Chosen: only those that the worker's owner offers (worker.tools).
	Chosen bool `json:"chosen,omitempty"`
}

// MaxPrograms is how many names a worker may tell.
const MaxPrograms = 20_000

// Has tells whether a program is there.
func (p *Programs) Has(name string) bool {
	if p.Fold {
		name = strings.ToLower(name)
	}
	_, found := slices.BinarySearch(p.Names, name)
	return found
}

// HasAll tells whether all of them are.
func (p *Programs) HasAll(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !p.Has(name) })
}

// Lacks lists those of the names that are not there.
func (p *Programs) Lacks(names []string) []string {
	var lacks []string
	for _, name := range names {
		if !p.Has(name) {
			lacks = append(lacks, name)
		}
	}
	return lacks
}

// Equal tells whether o says the same.
func (p *Programs) Equal(o *Programs) bool {
	return p.Fold == o.Fold && p.Chosen == o.Chosen && slices.Equal(p.Names, o.Names)
}

// Usual are those that plans of this kind ask for, and all that an owner chose: a
// PATH holds thousands, which nobody reads.
func (p *Programs) Usual() []string {
	if p.Chosen {
		return p.Names
	}
	var there []string
	for _, name := range usualPrograms() {
		if p.Has(name) {
			there = append(there, name)
		}
	}
	return there
}

// Check refuses what could not be searched, or shown on a terminal.
func (p *Programs) Check(worker string) error {
	if n := len(p.Names); n > MaxPrograms {
		return Errorf(CodeInvalid, "worker %s tells of %d programs; at most %d", worker, n, MaxPrograms)
	}
	if !slices.IsSorted(p.Names) {
		return Errorf(CodeInvalid, "worker %s: its programs are not sorted", worker)
	}
	for _, name := range p.Names {
		if !ProgramName(name) {
			return Errorf(CodeInvalid, "worker %s: its program %q is not one line of plain text", worker, clip(name))
		}
	}
	return nil
}

// ProgramName tells whether a plan could ask for a program of that name.
func ProgramName(name string) bool { return name != "" && plainText(name, MaxText) }

func usualPrograms() []string {
	return []string{
		"7z", "Rscript", "awk", "bash", "convert", "curl", "docker", "exiftool", "ffmpeg", "ffprobe", "gcc", "git", "go", "gs",
		"jq", "llama-cli", "llama-server", "magick", "make", "mediainfo", "node", "nvcc", "nvidia-smi", "ollama",
		"pandoc", "pdftotext", "perl", "pip", "pipx", "podman", "python", "python3", "rocm-smi", "rsync",
		"ruby", "sox", "sqlite3", "tar", "tesseract", "unzip", "uv", "wget", "whisper", "whisper-cli", "yt-dlp",
		"zimcheck", "zimdump", "zimwriterfs", "zip", "zstd",
	}
}
