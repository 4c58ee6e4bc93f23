package house

import (
	"fmt"
	"slices"
	"strings"
)

// Room is a package's row in the table of import directions.
type Room struct {
	// Path is the package's folder, "." for the root. A path that ends in
	// "/..." stands for the folder and all below it; a folder's own row wins.
	Path string
	// May lists the folders of this module that it may import, in the same
	// form. The root package needs no mention.
	May []string
	// StandardOnly forbids everything that is neither of this module nor of
	// the standard library.
	StandardOnly bool
	// Why is the reason, shown with a finding.
	Why string
}

// PackageComments finds packages that do not have exactly one package comment,
// beginning as godoc expects.
func PackageComments(t *Tree) []string {
	var findings []string
	comments := map[string][]File{}
	var dirs []string
	for _, f := range t.Files {
		if f.Go == nil || f.IsTest() {
			continue
		}
		if _, seen := comments[f.dir()]; !seen {
			comments[f.dir()] = nil
			dirs = append(dirs, f.dir())
		}
		if f.Go.Doc != nil {
			comments[f.dir()] = append(comments[f.dir()], f)
		}
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		switch with := comments[dir]; len(with) {
		case 0:
			findings = append(findings, dir+": no package comment: say what it is, what it is not, and its invariants")
		case 1:
			if text := with[0].Go.Doc.Text(); !strings.HasPrefix(text, "Package "+with[0].Go.Name.Name+" ") && !strings.HasPrefix(text, "Command ") {
				findings = append(findings, with[0].Path+": the package comment begins with \"Package <name>\" or \"Command <name>\"")
			}
		default:
			var paths []string
			for _, f := range with {
				paths = append(paths, f.Path)
			}
			findings = append(findings, fmt.Sprintf("%s: %d package comments (%s): keep one", dir, len(with), strings.Join(paths, ", ")))
		}
	}
	return findings
}

// Directions finds imports that the table does not allow, and packages that it
// does not know. Test files are free: they bring real neighbours together.
func Directions(t *Tree, rooms []Room) []string {
	var findings []string
	unknown := map[string]bool{}
	for _, f := range t.Files {
		if f.Go == nil || f.IsTest() {
			continue
		}
		room, known := roomOf(rooms, f.dir())
		if !known {
			if !unknown[f.dir()] {
				unknown[f.dir()] = true
				findings = append(findings, f.dir()+": not in the table of import directions: add a row that says what it may import, and why")
			}
			continue
		}
		for _, imported := range f.imports() {
			if complaint := t.refuse(f, room, imported); complaint != "" {
				findings = append(findings, fmt.Sprintf("%s: %s (%s: %s)", f.Path, complaint, room.Path, room.Why))
			}
		}
	}
	return findings
}

func (t *Tree) refuse(f File, room Room, imported string) string {
	if imported == t.Module {
		return ""
	}
	if local, ours := strings.CutPrefix(imported, t.Module+"/"); ours {
		if slices.ContainsFunc(room.May, func(pattern string) bool { return covers(pattern, local) }) {
			return ""
		}
		return "may not import " + local
	}
	if room.StandardOnly && strings.Contains(strings.Split(imported, "/")[0], ".") {
		return "may import the standard library only, not " + imported
	}
	return ""
}

// roomOf finds the row of a folder: its own, else the deepest that covers it.
func roomOf(rooms []Room, dir string) (Room, bool) {
	var best Room
	found := false
	for _, room := range rooms {
		if room.Path == dir {
			return room, true
		}
		if covers(room.Path, dir) && len(room.Path) > len(best.Path) {
			best, found = room, true
		}
	}
	return best, found
}

func covers(pattern, dir string) bool {
	if tree, all := strings.CutSuffix(pattern, "/..."); all {
		return dir == tree || strings.HasPrefix(dir, tree+"/")
	}
	return pattern == dir
}
