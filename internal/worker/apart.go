package worker

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
)

// apart refuses two declared outputs that are one file, or of which one lies
// inside the other by way of a link: whichever is moved first takes the other
// one along. A path inside a declared folder's own path is no such thing.
// declared maps names to paths, found paths to what they are.
func apart(declared, found map[string]string) error {
	names := slices.Sorted(maps.Keys(declared))
	for i, a := range names {
		for _, b := range names[i+1:] {
			outer, inner := a, b
			if _, inside := below(found[declared[a]], found[declared[b]]); !inside {
				outer, inner = b, a
			}
			rel, inside := below(found[declared[outer]], found[declared[inner]])
			if plain, by := below(declared[outer], declared[inner]); !inside || by && plain == rel {
				continue
			}
			is := "is the same file as"
			if rel != "." {
				is = "lies inside"
			}
			return fmt.Errorf("declared output %s %s %s, by a link: both cannot be put in place; copy one of them",
				describe(inner, declared[inner]), is, describe(outer, declared[outer]))
		}
	}
	return nil
}

// below tells whether p is dir or lies in it, and where.
func below(dir, p string) (string, bool) {
	rel, err := filepath.Rel(filepath.FromSlash(dir), filepath.FromSlash(p))
	return rel, err == nil && (rel == "." || filepath.IsLocal(rel))
}
