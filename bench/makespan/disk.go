package main

import (
	"slices"
	"time"
)

// disk is a host's disk and bus: n loads at once get an nth of it each.
type disk struct {
	rig   *rig
	reads []*read
	since time.Duration // up to when reads are accounted
	plan  int           // grows with each change: what was planned before is void
}

type read struct {
	gpu  *gpu
	left time.Duration // of the disk, alone
	then func() error
}

// read loads something that takes the disk so long when nobody shares it.
func (d *disk) read(g *gpu, takes time.Duration, then func() error) {
	d.advance()
	d.reads = append(d.reads, &read{g, takes, then})
	d.replan()
}

// drop ends what a card reads.
func (d *disk) drop(g *gpu) {
	d.advance()
	d.reads = slices.DeleteFunc(d.reads, func(r *read) bool { return r.gpu == g })
	d.replan()
}

func (d *disk) advance() {
	if n := time.Duration(len(d.reads)); n > 0 {
		for _, r := range d.reads {
			r.left -= (d.rig.now - d.since) / n
		}
	}
	d.since = d.rig.now
}

// replan looks ahead to the next read that ends, as things are.
func (d *disk) replan() {
	d.plan++
	if len(d.reads) == 0 {
		return
	}
	plan := d.plan
	first := slices.MinFunc(d.reads, func(a, b *read) int { return int(a.left - b.left) })
	d.rig.after(max(first.left, 0)*time.Duration(len(d.reads)), func() error {
		if d.plan != plan {
			return nil
		}
		d.advance()
		d.reads = slices.DeleteFunc(d.reads, func(r *read) bool { return r == first })
		d.replan()
		return first.then()
	})
}
