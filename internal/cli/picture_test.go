package cli

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/sched"
)

// pictureFile is the README's picture: what candor why really prints of a night
// in which a cap keeps two of three cards idle.
const pictureFile = "../../docs/why.svg"

func TestPictureIsCurrent(t *testing.T) {
	var b bytes.Buffer
	n := newNight(t)
	page{w: &b, s: style{on: true}, now: n.now}.why(n.why("gpu-0"), false)
	golden(t, pictureFile, drawn("candor why gpu-0", b.String()))
}

// night is a farm of three cards in the deciding core.
type night struct {
	t        *testing.T
	s        *sched.State
	now      time.Time
	sessions map[string]int64
}

const nightModel = "qwen2.5:7b"

func newNight(t *testing.T) *night {
	n := &night{t: t, now: at(), sessions: map[string]int64{}}
	n.s = sched.New(sched.Config{Placement: sched.Placement{MaxHot: 1}}, &sched.Snapshot{})
	items := make([]string, 125)
	for i := range items {
		items[i] = fmt.Sprint(i)
	}
	cold := candor.View{State: candor.WorkerCold, Serving: &candor.Serving{Kind: "ollama", URL: "http://127.0.0.1:11434", State: candor.ServerUp, Managed: true, Take: 2, Slots: 2}}
	for i, name := range []string{"gpu-0", "gpu-1", "gpu-2"} {
		card := candor.GPU{Index: i, Name: "RTX 3060", Total: 12 * candor.GiB, Free: 12 * candor.GiB}
		info := candor.WorkerInfo{Name: name, Host: "rig", PID: 4410 + i, Slots: 1, Classes: []candor.Class{candor.ClassResource, candor.ClassScript, candor.ClassLLM}, GPU: &card}
		catalog := &candor.Catalog{Models: []candor.CatalogModel{{Name: nightModel, Size: 5 * candor.GiB}}}
		r := n.do(sched.Register{Req: candor.RegisterRequest{Protocol: candor.Protocol, Info: info, View: cold, Verified: true, Catalog: catalog}})
		n.sessions[name] = r.(candor.RegisterReply).Session
	}
	n.do(sched.Submit{Sub: candor.Submission{Name: "films", Steps: []candor.Step{{Name: "topics", Class: candor.ClassLLM, Model: nightModel, Run: "true", Each: each(items)}}}})
	n.pass(time.Second)
	load := n.claim("gpu-1", cold)
	if len(load.Tasks) != 1 {
		t.Fatalf("gpu-1 was given %+v", load)
	}
	n.claim("gpu-0", cold)
	n.pass(8 * time.Second)
	hot := cold
	served := *cold.Serving
	served.Models = []candor.ServedModel{{Name: nightModel, Ready: true, Context: 4096, Size: 5 * candor.GiB, VRAM: 5 * candor.GiB}}
	hot.State, hot.Model, hot.Serving = candor.WorkerHot, nightModel, &served
	done := candor.Result{
		Task: load.Tasks[0].Task, Lease: load.Tasks[0].Lease, Outcome: candor.AttemptDone,
		Order: &candor.OrderResult{After: served.Models, Changed: true, Took: candor.Duration(8 * time.Second)},
	}
	for end := n.now.Add(14 * time.Minute); n.now.Before(end); n.pass(2 * time.Second) {
		n.claim("gpu-0", cold)
		n.beat("gpu-2", cold)
		if done.Task != 0 {
			n.claim("gpu-1", hot, done)
			done = candor.Result{}
		}
		n.beat("gpu-1", hot)
	}
	return n
}

func each(items []string) *candor.Each {
	e := &candor.Each{}
	for _, item := range items {
		e.Items = append(e.Items, []byte(item))
	}
	return e
}

func (n *night) do(cmd sched.Command) any {
	n.t.Helper()
	reply, err := n.s.Apply(n.now, cmd)
	if err != nil {
		n.t.Fatalf("%T: %v", cmd, err)
	}
	n.s.Take()
	return reply
}

func (n *night) pass(d time.Duration) {
	n.now = n.now.Add(d)
	n.do(sched.Tick{})
}

func (n *night) claim(name string, v candor.View, results ...candor.Result) candor.ClaimReply {
	return n.do(sched.Claim{Worker: name, Req: candor.ClaimRequest{Session: n.sessions[name], Max: 2, View: v, Results: results}}).(candor.ClaimReply)
}

// beat says that whatever the worker has in hand goes on.
func (n *night) beat(name string, v candor.View) {
	req := candor.HeartbeatRequest{Session: n.sessions[name], View: v, Doing: "running"}
	for _, w := range n.do(sched.Workers{}).([]candor.Worker) {
		if w.Name == name {
			for _, r := range w.Running {
				req.Running = append(req.Running, candor.LeaseProgress{Lease: r.Lease, Progress: candor.Progress{Kind: "tokens", At: n.now}})
			}
		}
	}
	n.do(sched.Heartbeat{Worker: name, Req: req})
}

func (n *night) why(target string) candor.Explanation {
	return n.do(sched.Why{Target: target}).(candor.Explanation)
}

// What a drawn terminal measures, in characters and in the picture's units.
const (
	drawnWidth = 108
	charWidth  = 85 // a tenth of a unit
	lineHeight = 20
	margin     = 20
)

// drawn is a terminal with a command and what it printed, as an SVG.
func drawn(command, output string) string {
	lines := []string{"\x1b[32m$ " + command + "\x1b[0m"}
	for line := range strings.SplitSeq(strings.TrimRight(output, "\n"), "\n") {
		lines = append(lines, wrapped(line, drawnWidth)...)
	}
	width, height := drawnWidth*charWidth/10+2*margin, len(lines)*lineHeight+70
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`+"\n", width, height)
	fmt.Fprintf(&b, "  <title>%s</title>\n  <rect width=\"%d\" height=\"%d\" rx=\"10\" fill=\"#161b22\"/>\n", html.EscapeString("$ "+command), width, height)
	b.WriteString(`  <g fill="#484f58"><circle cx="22" cy="20" r="6"/><circle cx="42" cy="20" r="6"/><circle cx="62" cy="20" r="6"/></g>` + "\n")
	for i, line := range lines {
		fmt.Fprintf(&b, `  <text x="%d" y="%d" fill="#c9d1d9" xml:space="preserve">%s</text>`+"\n", margin, 56+i*lineHeight, spans(line))
	}
	return b.String() + "</svg>\n"
}

var painted = regexp.MustCompile("\x1b\\[(\\d+)m(.*?)\x1b\\[0m")

// spans turns what a terminal paints into what a browser does.
func spans(line string) string {
	look := map[string]string{"1": `fill="#ffffff" font-weight="600"`, "2": `fill="#8b949e"`, "31": `fill="#ff7b72"`, "32": `fill="#7ee787"`, "33": `fill="#ffd479"`}
	var b strings.Builder
	from := 0
	for _, m := range painted.FindAllStringSubmatchIndex(line, -1) {
		b.WriteString(html.EscapeString(line[from:m[0]]))
		fmt.Fprintf(&b, "<tspan %s>%s</tspan>", look[line[m[2]:m[3]]], html.EscapeString(line[m[4]:m[5]]))
		from = m[1]
	}
	return b.String() + html.EscapeString(line[from:])
}

// wrapped breaks a line of prose at blanks; rows of a table are not that long.
func wrapped(line string, width int) []string {
	if len(painted.ReplaceAllString(line, "$2")) <= width {
		return []string{line}
	}
	cut := strings.LastIndex(line[:width], " ")
	if cut <= 0 {
		return []string{line}
	}
	return append([]string{line[:cut]}, wrapped(line[cut+1:], width)...)
}
