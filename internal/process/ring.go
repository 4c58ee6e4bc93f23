package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A ring file is a header and size bytes of data. The header's numbers, big
// endian: magic, half, size, reserved, total, finished. Byte k of the output
// (k ≥ half) is at header + (k-half) mod size. reserved is raised before the
// data is written and total after, so that a reader in another process knows
// which old bytes may be half overwritten, and which new ones are whole.
const (
	ringMagic  = 0x63616e646f723031 // "candor01"
	ringHeader = 48
	slotResv   = 24
	slotTotal  = 32
	slotDone   = 40
)

var errNoRing = errors.New("not an output ring")

func ringPath(path string) string { return path + ".tail" }

// ring is the newest part of an output that outgrew its first half. half and
// size differ in nothing today; the file says both so that they may.
type ring struct {
	f          *os.File
	half, size int64
	total      int64 // of the whole output, the first half included
}

func createRing(path string, half int64) (*ring, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create output ring: %w", err)
	}
	r := &ring{f: f, half: half, size: half, total: half}
	var h [ringHeader]byte
	for i, v := range []int64{ringMagic, half, half, half, half, 0} {
		binary.BigEndian.PutUint64(h[8*i:], uint64(v))
	}
	if _, err := f.WriteAt(h[:], 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("create output ring: %w", err)
	}
	return r, nil
}

// ringState is a header as read.
type ringState struct {
	half, size, reserved, total int64
	finished                    bool
}

// oldest is the first byte of the output that the ring surely still holds.
func (s ringState) oldest() int64 { return max(s.half, s.reserved-s.size) }

func readRing(f *os.File) (ringState, error) {
	var h [ringHeader]byte
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return ringState{}, fmt.Errorf("read output ring: %w", err)
	}
	v := func(i int) int64 { return int64(binary.BigEndian.Uint64(h[8*i:])) }
	s := ringState{half: v(1), size: v(2), reserved: v(3), total: v(4), finished: v(5) != 0}
	if v(0) != ringMagic || s.half < 1 || s.size < 1 || s.total < s.half || s.reserved < s.total {
		return ringState{}, errNoRing
	}
	return s, nil
}

func (r *ring) put(slot, v int64) error {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(v))
	_, err := r.f.WriteAt(b[:], slot)
	return err
}

func (r *ring) write(b []byte) error {
	end := r.total + int64(len(b))
	err := r.put(slotResv, end)
	if skip := int64(len(b)) - r.size; skip > 0 { // only the last size bytes stay
		b, r.total = b[skip:], r.total+skip
	}
	for len(b) > 0 && err == nil {
		at := (r.total - r.half) % r.size
		n := min(int64(len(b)), r.size-at)
		_, err = r.f.WriteAt(b[:n], ringHeader+at)
		b, r.total = b[n:], r.total+n
	}
	if err == nil {
		err = r.put(slotTotal, end)
	}
	if err != nil {
		return fmt.Errorf("write output ring: %w", err)
	}
	return nil
}

func (r *ring) finish() error { return r.put(slotDone, 1) }

// span reads output bytes from offset on, up to a wrap or the end.
func (s ringState) span(f *os.File, b []byte, off int64) (int, error) {
	at := (off - s.half) % s.size
	n := min(int64(len(b)), s.size-at, s.total-off)
	if n <= 0 {
		return 0, io.EOF
	}
	return f.ReadAt(b[:n], ringHeader+at)
}

// join appends the ring to the head, behind one marker line when something
// between them is lost. It may be repeated after a crash in its middle.
func join(head *os.File, r *ring) error {
	s, err := readRing(r.f)
	if err != nil {
		return err
	}
	if err := head.Truncate(s.half); err != nil {
		return fmt.Errorf("join output log: %w", err)
	}
	if _, err := head.Seek(s.half, io.SeekStart); err != nil {
		return fmt.Errorf("join output log: %w", err)
	}
	off := s.oldest()
	if off > s.half {
		last := make([]byte, 1)
		if _, err := head.ReadAt(last, s.half-1); err != nil {
			return fmt.Errorf("join output log: %w", err)
		}
		if _, err := io.WriteString(head, marker(s.total, last[0] == '\n')); err != nil {
			return fmt.Errorf("join output log: %w", err)
		}
	}
	buf := make([]byte, 64<<10)
	for off < s.total {
		n, err := s.span(r.f, buf, off)
		if err == nil {
			_, err = head.Write(buf[:n])
		}
		if err != nil {
			return fmt.Errorf("join output log: %w", err)
		}
		off += int64(n)
	}
	return nil
}

// marker is the line that stands for what is missing.
func marker(total int64, atLineStart bool) string {
	line := fmt.Sprintf("[... truncated, %s written ...]\n", bytesText(total))
	if atLineStart {
		return line
	}
	return "\n" + line
}

// bytesText is "1.0 GB": powers of a thousand, as disks and faults count.
func bytesText(n int64) string {
	unit, v := 0, float64(n)
	for v >= 999.95 && unit < 4 {
		v /= 1000
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, []string{"B", "kB", "MB", "GB", "TB"}[unit])
}

// finishLog joins a log whose writer died, as the writer would have. A log
// that is complete already is left alone.
func finishLog(path string) error {
	f, err := os.OpenFile(ringPath(path), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finish output log: %w", err)
	}
	defer f.Close()
	head, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("finish output log: %w", err)
	}
	defer head.Close()
	r := &ring{f: f}
	if err := r.finish(); err != nil {
		return fmt.Errorf("finish output log: %w", err)
	}
	if err := join(head, r); err != nil {
		return err
	}
	return os.Remove(ringPath(path))
}
