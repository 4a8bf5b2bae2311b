package simulate

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Profile is what befalls services and hosts in ordinary years.
type Profile struct {
	Name  string
	About string
	Rates []Rate
}

// Rate is how often something befalls a service, or a host with all its services, on average, at random and independently of
// all else; and how long that lasts: short ones are as likely as long ones, by their order of magnitude.
type Rate struct {
	What        string // a key of kinds
	PerYear     float64
	Least, Most time.Duration // zero where it does not last
	Source      string
}

// HostWide tells whether it befalls a host, and not one service.
func (r Rate) HostWide() bool { return hostWide[r.What] }

const (
	chosen = "chosen"
	// Chillarege, Biyani and Rosenthal, "Measurement of failure rate in widely distributed software", FTCS 1995: a time
	// between failures of 4 years for one release, and 2 years for the next, of a product on hundreds of thousands of
	// systems.
	chillarege = "Chillarege et al. 1995"
	// Jeff Dean at Google I/O, 2008: in a cluster of 1,800 servers some 1,000 fail in the first year.
	dean = "Dean 2008"
)

// Profiles are all, in the order in which they are told.
func Profiles() []Profile {
	typical := []Rate{
		{"crash", 0.5, 0, 0, chillarege + ": one in 2 years"},
		{"hang", 0.25, 0, 0, chosen + ": half as many as crashes"},
		{"slow", 12, 200 * time.Millisecond, time.Minute, chosen + ": a load that passes, each month"},
		{"long recovery", 0.5, 5 * time.Second, 5 * time.Minute, chosen + ": a crash after which its data are checked"},
		{"crash loop", 0.25, time.Minute, time.Hour, chosen + ": what it needs is not there"},
		{"restart anew", 12, 0, 0, chosen + ": a release each month"},
		{"reboot", 0.55, time.Minute, time.Hour, dean + ": 1,000 of 1,800 servers in a year"},
		{"upgrade", 4, 0, 0, chosen + ": of the supervisor, each quarter"},
		{"stall", 12, 500 * time.Millisecond, time.Minute, chosen + ": the supervisor does not run"},
		{"pause", 4, 500 * time.Millisecond, 30 * time.Second, chosen + ": a virtual machine is moved"},
		{"disk full", 0.1, 10 * time.Minute, 4 * time.Hour, chosen},
		{"no spawn", 0.1, time.Minute, 30 * time.Minute, chosen + ": memory is short"},
		{"supervisor killed", 0.1, 100 * time.Millisecond, 10 * time.Second, chosen},
	}
	calm := []Rate{
		{"crash", 0.25, 0, 0, chillarege + ": one in 4 years"},
		{"hang", 0.1, 0, 0, chosen},
		{"slow", 4, 200 * time.Millisecond, 10 * time.Second, chosen},
		{"restart anew", 4, 0, 0, chosen + ": a release each quarter"},
		{"reboot", 0.55, time.Minute, time.Hour, dean + ": 1,000 of 1,800 servers in a year"},
		{"pause", 4, 500 * time.Millisecond, 5 * time.Second, chosen},
	}
	var rough []Rate
	for _, r := range typical {
		r.PerYear *= 10
		r.Source = "ten times typical"
		rough = append(rough, r)
	}
	one := func(name, about string, rates ...Rate) Profile { return Profile{name, about, rates} }
	return []Profile{
		{"calm", "proven software on proven hosts", calm},
		{"typical", "what most services see; the usual one", typical},
		{"rough", "ten times as much of everything", rough},
		one("crash", "the daemon dies each week", Rate{"crash", 52, 0, 0, chosen}),
		one("hang", "the daemon hangs each month", Rate{"hang", 12, 0, 0, chosen}),
		one("slow", "the daemon answers nothing for a while, each week", Rate{"slow", 52, 200 * time.Millisecond, 2 * time.Minute, chosen}),
		one("recovery", "the daemon dies each month, and checks its data before it serves", Rate{"long recovery", 12, 5 * time.Second, 15 * time.Minute, chosen}),
		one("loop", "the daemon cannot run for a while, each month", Rate{"crash loop", 12, time.Minute, time.Hour, chosen}),
		one("disk", "the disk is full for a while, each month, and the daemon dies meanwhile", Rate{"disk full", 12, 10 * time.Minute, 4 * time.Hour, chosen}, Rate{"crash", 52, 0, 0, chosen}),
		one("host", "reboots, pauses and stalls of the host, each month", Rate{"reboot", 12, time.Minute, time.Hour, chosen},
			Rate{"pause", 12, 500 * time.Millisecond, time.Minute, chosen}, Rate{"stall", 12, 500 * time.Millisecond, time.Minute, chosen}),
	}
}

// ordinary is how long things take where nothing is wrong.
var ordinary = nature{
	prepare: span{5 * time.Millisecond, 100 * time.Millisecond}, up: span{100 * time.Millisecond, 5 * time.Second},
	bad: span{50 * time.Millisecond, 2 * time.Second}, end: span{20 * time.Millisecond, 2 * time.Second},
	answer: span{500 * time.Microsecond, 50 * time.Millisecond}, task: span{time.Second, time.Minute},
	message: span{10 * time.Microsecond, 200 * time.Microsecond}, noticed: span{30 * time.Minute, 12 * time.Hour},
}

// faults draws what befalls a host until end. What befalls one service is drawn by its name, so that it is the same
// whatever others there are and however it is configured.
func (p Profile) faults(services []Service, seed uint64, end time.Duration) []Fault {
	var all []Fault
	draw := func(r Rate, service int, name string) {
		if r.PerYear == 0 {
			return
		}
		sum := fnv.New64a()
		sum.Write([]byte(r.What + "/" + name))
		random := rand.New(rand.NewPCG(seed, sum.Sum64()))
		for at := time.Duration(0); ; {
			at += time.Duration(random.ExpFloat64() / r.PerYear * float64(yearLength))
			if at >= end {
				return
			}
			f := Fault{At: at, What: r.What, Service: service}
			if r.Most > 0 {
				f.For = between(random, r.Least, r.Most)
			}
			all = append(all, f)
		}
	}
	for _, r := range p.Rates {
		if r.HostWide() {
			draw(r, 0, "")
			continue
		}
		for i, s := range services {
			draw(r, i, s.Name)
		}
	}
	return all
}

const yearLength = 365 * 24 * time.Hour
