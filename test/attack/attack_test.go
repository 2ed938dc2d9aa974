package attack

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	fullFlag   = flag.Bool("attack.full", false, "attack at full size")
	bridgeFlag = flag.String("attack.bridge", "", "the bridge to attack; built if empty")
)

// openFiles is the limit of open files when the test began: the limit of a bridge without a lower one.
var openFiles uint64

// raiseFiles lets this process open more files than the bridge, if the system allows it.
func raiseFiles() {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return
	}
	openFiles = l.Cur
	most := syscall.Rlimit{Cur: max(l.Max, 1<<16), Max: max(l.Max, 1<<16)}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &most) != nil {
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: l.Max, Max: l.Max})
	}
}

// results are the rows of the table, in the order of their ends.
var results struct {
	sync.Mutex
	rows []row
}

func TestMain(m *testing.M) {
	flag.Parse()
	raiseFiles()
	code := m.Run()
	if len(results.rows) > 0 {
		fmt.Print(table(results.rows))
	}
	os.Exit(code)
}

// scenarios returns the attacks. size picks one of two numbers: small or full.
func scenarios(size func(small, full int) int) []scenario {
	few, gibibyte := limits{files: 400}, limits{memory: 1 << 30}
	return []scenario{
		{name: "nothing"},
		{name: "idle connections, 400 files", limits: few, attacks: []attack{crowd{size: 600}.attack}},
		{name: "idle connections, 400 files, 50 addresses", limits: few, attacks: []attack{crowd{size: 600, hosts: 50}.attack}},
		{name: "slow headers, 400 files", limits: few, attacks: []attack{crowd{size: 600, hosts: 50, say: slowly}.attack}},
		{name: "kept-alive connections, 400 files", limits: few, attacks: []attack{crowd{size: 600, hosts: 50, say: once}.attack}},
		{name: "idle connections, default limit", attacks: []attack{crowd{size: size(1000, 25_000), hosts: size(50, 200)}.attack}},
		{name: "announced bodies", attacks: []attack{crowd{size: size(300, 2000), hosts: size(0, 100), say: announce(2 << 20)}.attack}},
		{name: "announced chunks and forms", attacks: []attack{
			crowd{size: size(150, 1000), hosts: 50, say: chunk}.attack, crowd{size: size(150, 1000), hosts: 50, say: form}.attack}},
		{name: "packed bodies", attacks: []attack{bombard(size(4, 16), size(200<<20, 850<<20))}},
		{name: "second stream, no tickets", attacks: []attack{together(size(4, 10), claim)}},
		{name: "second stream, tickets", tickets: true, attacks: []attack{together(size(4, 10), claim)}},
		{name: "keys with 60 kB of parameters", attacks: []attack{together(size(5, 20), press)}},
		{name: "streams that come and go", attacks: []attack{together(size(5, 20), comeAndGo)}},
		{name: "malformed messages and refused handshakes", attacks: []attack{together(size(3, 10), babble), together(size(3, 10), knock)}},
		{name: "failing recognizer", deaf: true, attacks: []attack{together(size(10, 50), speak)}},
		{name: "everything, 1 GiB", limits: gibibyte, attacks: []attack{
			crowd{size: size(300, 5000), hosts: 50}.attack, crowd{size: size(200, 2000), hosts: 50, say: announce(2 << 20)}.attack,
			bombard(size(2, 8), size(200<<20, 850<<20)), together(size(2, 10), claim), together(size(2, 10), press), together(size(2, 10), babble),
			together(size(2, 10), knock)}},
	}
}

func TestACallSurvives(t *testing.T) {
	size, pause := func(small, _ int) int { return small }, 600*time.Millisecond
	if *fullFlag {
		size, pause = func(_, full int) int { return full }, 3*time.Second
	}
	program := buildBridge(t)
	for _, s := range scenarios(size) {
		t.Run(s.name, func(t *testing.T) {
			if !*fullFlag {
				t.Parallel()
			}
			r := run(t, program, s, pause)
			results.Lock()
			defer results.Unlock()
			results.rows = append(results.rows, r)
			for _, fault := range r.result {
				t.Error(fault)
			}
		})
	}
}
