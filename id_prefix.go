package candor

import "strings"

// IDPrefix is the beginning of an id, as people type it: t_5g7, b_9m3, or 5g7
// for either. It is matched without writing ids, so that millions can be asked.
type IDPrefix struct {
	task, batch bool
	bits, mask  uint64
}

// ParseIDPrefix reads the beginning of an id. A text that no id can begin with
// gives false; so does one that names no digit, since everything begins with it.
func ParseIDPrefix(s string) (IDPrefix, bool) {
	p := IDPrefix{task: true, batch: true}
	if rest, ok := strings.CutPrefix(s, taskPrefix); ok {
		s, p.batch = rest, false
	} else if rest, ok := strings.CutPrefix(s, batchPrefix); ok {
		s, p.task = rest, false
	}
	if s == "" || len(s) > idChars {
		return IDPrefix{}, false
	}
	shift := idBits
	for i := range len(s) {
		d := strings.IndexByte(alphabet, s[i])
		if d < 0 {
			return IDPrefix{}, false
		}
		shift -= 5
		p.bits |= uint64(d) << shift
		p.mask |= 31 << shift
	}
	return p, true
}

// MatchTask tells whether the id of a task begins so.
func (p IDPrefix) MatchTask(id TaskID) bool { return p.task && scramble(uint64(id))&p.mask == p.bits }

// MatchBatch tells whether the id of a batch begins so.
func (p IDPrefix) MatchBatch(id BatchID) bool {
	return p.batch && scramble(uint64(id^batchMix))&p.mask == p.bits
}
