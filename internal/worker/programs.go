package worker

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// usualTools are looked for when the owner names none: what plans of this kind
// ask for. A list, not everything on PATH: a worker's record is sent and shown
// often, and a PATH holds thousands.
func usualTools() []string {
	return []string{
		"7z", "awk", "bash", "convert", "curl", "docker", "exiftool", "ffmpeg", "ffprobe", "gcc", "git", "go", "gs",
		"jq", "llama-cli", "llama-server", "magick", "make", "mediainfo", "node", "nvcc", "nvidia-smi", "ollama",
		"pandoc", "pdftotext", "perl", "pip", "pipx", "podman", "python", "python3", "Rscript", "rocm-smi", "rsync",
		"ruby", "sox", "sqlite3", "tar", "tesseract", "unzip", "uv", "wget", "whisper", "whisper-cli", "yt-dlp",
		"zimcheck", "zimdump", "zimwriterfs", "zip", "zstd",
	}
}

// findTools keeps those of the names that are programs on the PATH which
// attempts get.
func findTools(names, environ []string) []string {
	if names == nil {
		names = usualTools()
	}
	var found []string
	for _, name := range names {
		if name != filepath.Base(name) {
			continue
		}
		for _, dir := range filepath.SplitList(lookup(environ, "PATH")) {
			if !filepath.IsAbs(dir) {
				continue
			}
			if _, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				found = append(found, name)
				break
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func lookup(environ []string, key string) string {
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, key+"="); ok {
			return v
		}
	}
	return ""
}
