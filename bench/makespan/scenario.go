package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"candor"
)

// scenario is a kind of night. A seed makes an instance of it.
type scenario struct {
	name   string
	about  string
	limit  float64 // candor may take so many times the bound
	models []model
	cards  []card
	tasks  func(d *dice) []task
}

// model is one that tasks want; a load of it takes load, more or less.
type model struct {
	name string
	size candor.Bytes // on a card, and on disk
	load time.Duration
}

// card is a worker with one GPU.
type card struct {
	host  int
	size  candor.Bytes
	joins time.Duration
	dies  time.Duration // 0: it does not
	// loads are by model what a load on this card takes while no other load
	// shares the host's disk; drawn from the seed.
	loads []time.Duration
}

// task is one llm task as it truly is; no policy is told how long it takes.
type task struct {
	model int
	at    time.Duration // when it is submitted
	takes time.Duration // of a card that holds its model
}

// instance is what is true in one run, whatever the policy.
type instance struct {
	models []model
	cards  []card
	tasks  []task // in the order of submission
}

// until is when a card dies, at the end of time if it does not.
func (c *card) until() time.Duration {
	if c.dies == 0 {
		return math.MaxInt64
	}
	return c.dies
}

const (
	large = 14 * candor.GiB // one of them fits on a card
	vram  = 24 * candor.GiB
)

// scenarios are the nights that are compared. Sizes and times are those of
// models with 7 to 32 billion parameters on cards of 24 GiB.
func scenarios() []scenario {
	return slices.Concat(nightsOfOneModel(), nightsOfSwaps(), nightsOfChange())
}

// nightsOfOneModel ask on how many cards the only model belongs, and who gets
// the long tasks.
func nightsOfOneModel() []scenario {
	return []scenario{
		{
			name: "incident", limit: 1.05,
			about:  "the night that candor began with: 125 equal tasks of about a minute, three cold cards on one host, one model",
			models: []model{{"topics:14b", large, 40 * time.Second}},
			cards:  cards(3, 1),
			tasks: func(d *dice) []task {
				return d.times(125, func(int) task { return task{takes: d.near(time.Minute, 0.2)} })
			},
		},
		{
			name: "long-short", limit: 1.10,
			about:  "one model, four cards; most prompts take seconds, one in eight has a heavy tail of up to seven minutes",
			models: alike(1, 40*time.Second),
			cards:  cards(4, 2),
			tasks: func(d *dice) []task {
				return d.times(800, func(i int) task {
					if i%8 == 3 {
						return task{takes: d.tail(40*time.Second, 1.3, 7*time.Minute)}
					}
					return task{takes: d.near(9*time.Second, 0.5)}
				})
			},
		},
	}
}

// nightsOfSwaps ask which of several models is on which card when.
func nightsOfSwaps() []scenario {
	return []scenario{
		{
			name: "alternating", limit: 1.10,
			about:  "two models by turns in the order of submission, of which one fits on a card at a time; three cards",
			models: alike(2, 40*time.Second),
			cards:  cards(3, 3),
			tasks: func(d *dice) []task {
				return d.times(240, func(i int) task { return task{model: i % 2, takes: d.near(40*time.Second, 0.3)} })
			},
		},
		{
			name: "many-models", limit: 1.10,
			about:  "twelve models, of which one fits on a card at a time, mixed, the first wanted 13 times as often as the last; four cards",
			models: alike(12, 30*time.Second),
			cards:  cards(4, 4),
			tasks: func(d *dice) []task {
				return d.mixed(d.times(600, func(i int) task { return task{model: zipf(i, 600, 12), takes: d.near(25*time.Second, 0.4)} }))
			},
		},
		{
			name: "together", limit: 1.10,
			about:  "two models by turns that fit on a card together; two cards",
			models: []model{{"small-a:7b", 8 * candor.GiB, 25 * time.Second}, {"small-b:8b", 10 * candor.GiB, 30 * time.Second}},
			cards:  cards(2, 2),
			tasks: func(d *dice) []task {
				return d.times(240, func(i int) task { return task{model: i % 2, takes: d.near(15*time.Second, 0.4)} })
			},
		},
	}
}

// nightsOfChange are those in which cards come and go, tasks come later, or loads
// are in each other's way.
func nightsOfChange() []scenario {
	return []scenario{
		{
			name: "join-die", limit: 1.10,
			about:  "two models, three cards; a fourth card joins after 15 minutes, and one of the first dies after 25 with what it runs",
			models: alike(2, 40*time.Second),
			cards: []card{
				{host: 0, size: vram}, {host: 1, size: vram}, {host: 2, size: vram, dies: 25 * time.Minute},
				{host: 3, size: vram, joins: 15 * time.Minute},
			},
			tasks: func(d *dice) []task {
				return d.times(240, func(i int) task { return task{model: min(i%3, 1), takes: d.near(40*time.Second, 0.3)} })
			},
		},
		{
			name: "shared-disks", limit: 1.10,
			about:  "two models of which a load takes the disk for 90 s, two hosts with three cards each: loads on one host share its disk",
			models: alike(2, 90*time.Second),
			cards:  cards(6, 2),
			tasks: func(d *dice) []task {
				return d.mixed(d.times(400, func(i int) task { return task{model: min(i%4, 1), takes: d.near(50*time.Second, 0.3)} }))
			},
		},
		{
			name: "arrivals", limit: 1.10,
			about:  "three batches, an hour apart, each more than an hour's work for three cards, each wanting two of three models",
			models: alike(3, 40*time.Second),
			cards:  cards(3, 3),
			tasks: func(d *dice) []task {
				var all []task
				for batch, wants := range [][2]int{{0, 1}, {1, 2}, {0, 2}} {
					all = append(all, d.mixed(d.times(400, func(i int) task {
						return task{model: wants[i%2], at: time.Duration(batch) * time.Hour, takes: d.near(30*time.Second, 0.4)}
					}))...)
				}
				return all
			},
		},
	}
}

// cards are so many equal ones on so many hosts.
func cards(n, hosts int) []card {
	all := make([]card, n)
	for i := range all {
		all[i] = card{host: i * hosts / n, size: vram}
	}
	return all
}

// alike are models of which one fits on a card at a time.
func alike(n int, load time.Duration) []model {
	all := make([]model, n)
	for i := range all {
		all[i] = model{name: fmt.Sprintf("model-%c:14b", 'a'+i), size: large, load: load}
	}
	return all
}

// zipf shares n tasks among models so that model k gets about 1/(k+1) of the
// first one's share.
func zipf(i, n, models int) int {
	total := 0.0
	for k := range models {
		total += 1 / float64(k+1)
	}
	at, sum := (float64(i)+0.5)/float64(n)*total, 0.0
	for k := range models {
		if sum += 1 / float64(k+1); at < sum {
			return k
		}
	}
	return models - 1
}

// dice is where chance comes from.
type dice struct{ rng *rand.Rand }

// near is around a mean, at most so far from it, as a share of it.
func (d *dice) near(mean time.Duration, off float64) time.Duration {
	return time.Duration(float64(mean) * (1 + off*(2*d.rng.Float64()-1))).Round(time.Millisecond)
}

// tail is a Pareto distribution from least on, cut at most.
func (d *dice) tail(least time.Duration, alpha float64, most time.Duration) time.Duration {
	long := time.Duration(float64(least) * math.Pow(1-d.rng.Float64(), -1/alpha))
	return min(long, most).Round(time.Millisecond)
}

func (d *dice) times(n int, make func(i int) task) []task {
	all := []task{}
	for i := range n {
		all = append(all, make(i))
	}
	return all
}

func (d *dice) mixed(all []task) []task {
	d.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// draw makes the instance of a seed.
func (sc *scenario) draw(seed uint64) *instance {
	d := &dice{rand.New(rand.NewPCG(seed, 3))}
	in := &instance{models: sc.models, cards: slices.Clone(sc.cards)}
	for i := range in.cards {
		for _, m := range sc.models {
			in.cards[i].loads = append(in.cards[i].loads, d.near(m.load, 0.15))
		}
	}
	in.tasks = sc.tasks(d)
	return in
}

func names() []string {
	var all []string
	for _, sc := range scenarios() {
		all = append(all, sc.name)
	}
	return all
}

// chosen are the scenarios of a name, all of them without one.
func chosen(name string) []scenario {
	return slices.DeleteFunc(scenarios(), func(sc scenario) bool { return name != "" && sc.name != name })
}
