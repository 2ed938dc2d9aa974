package powercut

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aldeabridge/internal/journal"
)

// child runs the journal on d and reads its lines, until it is killed after a while (0: until it ends).
func child(t testing.TB, d *disk, work string, kill time.Duration, line func(string)) {
	t.Helper()
	dir := t.TempDir()
	server, err := mount(d, dir)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childPath+"="+filepath.Join(dir, "journal.db"), childWork+"="+work)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if _, err := lines.Peek(1); err != nil { // it is at work
		t.Error(err)
	}
	if kill > 0 {
		defer time.AfterFunc(kill, func() { _ = cmd.Process.Kill() }).Stop()
	}
	for {
		s, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		line(strings.TrimSpace(s))
	}
	_ = cmd.Wait() // it was killed
	if err := server.Unmount(); err != nil {
		t.Fatal(err)
	}
}

// stored reads the ids of a journal by call and sequence, and checks that the sequences are whole.
func stored(t *testing.T, files map[string][]byte) map[string]string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := journal.Open(journal.Options{Path: filepath.Join(dir, "journal.db"), Endpoints: []string{"crm"}, MaxAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if r := s.Stats().Salvage; r != nil {
		t.Errorf("a power cut was taken for damage: %v", r)
	}
	found, sequences := map[string]string{}, map[string]int64{}
	for after := int64(0); after < s.Last(); {
		records, err := s.Since(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			after = r.Position
			if sequences[r.CallID]++; r.Sequence != sequences[r.CallID] {
				t.Fatalf("%s: got sequence %d, want %d", r.CallID, r.Sequence, sequences[r.CallID])
			}
			found[fmt.Sprint(r.CallID, " ", r.Sequence)] = r.ID
		}
	}
	return found
}

func TestNothingAcknowledgedIsLostByAPowerCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	files := map[string][]byte{}
	acknowledged := map[string]string{}
	for round := range 10 {
		d := newDisk(files)
		n := 0
		child(t, d, "append", 100*time.Millisecond+time.Duration(r.Int64N(int64(2*time.Second))), func(line string) {
			f := strings.Fields(line)
			switch {
			case len(f) == 4 && f[0] == "ack" && len(f[3]) == 30:
				acknowledged[f[1]+" "+f[2]] = f[3]
				n++
			case len(f) > 0 && f[0] != "ack":
				t.Error(line)
			}
		})
		survives := []float64{0, 0.5}[round%2]
		files = d.cut(r, survives)
		found := stored(t, files)
		lost := 0
		for place, id := range acknowledged {
			if found[place] != id {
				lost++
			}
		}
		t.Logf("cut %d: %d acknowledged in %d syncs, %d stored in all, %d lost (%.0f %% of the unsynced survived)",
			round, n, d.syncs, len(found), lost, 100*survives)
		if lost > 0 {
			t.Errorf("cut %d: %d acknowledged events are gone", round, lost)
		}
	}
}

func TestADiskThatForgetsDoesForget(t *testing.T) {
	d := newDisk(nil)
	dir := t.TempDir()
	server, err := mount(d, dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	for i, sync := range []bool{true, false} {
		if _, err := f.WriteString(fmt.Sprint("part", i)); err != nil {
			t.Fatal(err)
		}
		if sync {
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := d.cut(rand.New(rand.NewPCG(1, 1)), 0); len(got) != 0 {
		t.Errorf("got %v, want no name: the directory was not synced", got)
	}
	parent, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := d.cut(rand.New(rand.NewPCG(1, 1)), 0); string(got["a"]) != "part0" {
		t.Errorf("got %q, want part0", got)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := parent.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Unmount(); err != nil {
		t.Error(err)
	}
}

func TestADiskThatGetsFullLosesNothing(t *testing.T) {
	d := newDisk(nil)
	d.capacity = 4 << 20
	acknowledged := map[string]string{}
	refused := 0
	child(t, d, "append", 3*time.Second, func(line string) {
		f := strings.Fields(line)
		switch {
		case len(f) == 4 && f[0] == "ack" && len(f[3]) == 30:
			acknowledged[f[1]+" "+f[2]] = f[3]
		case strings.HasPrefix(line, "refused"):
			if refused++; !strings.Contains(line, journal.ErrDisk.Error()) {
				t.Error(line)
			}
		case len(f) > 0 && f[0] == "error":
			t.Error(line)
		}
	})
	if refused == 0 || len(acknowledged) == 0 {
		t.Errorf("got %d acknowledged and %d refused, want some of each", len(acknowledged), refused)
	}
	found := stored(t, d.cut(rand.New(rand.NewPCG(3, 4)), 0))
	for place, id := range acknowledged {
		if found[place] != id {
			t.Errorf("%s is gone", place)
		}
	}
	t.Logf("%d acknowledged, then %d refused, %d stored", len(acknowledged), refused, len(found))
}

// BenchmarkSlowDisk appends 500 events a second for ten seconds where a sync takes 0, 1 and 5 ms.
func BenchmarkSlowDisk(b *testing.B) {
	for _, sync := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond} {
		b.Run("sync="+sync.String(), func(b *testing.B) {
			for b.Loop() {
				d := newDisk(nil)
				d.delay = sync
				child(b, d, "steady", 0, func(line string) {
					var rate, p50, p99 float64
					if _, err := fmt.Sscanf(line, "took %f %f %f", &rate, &p50, &p99); err != nil {
						b.Error(line)
					}
					b.ReportMetric(rate, "events/s")
					b.ReportMetric(p50/1000, "ms/p50")
					b.ReportMetric(p99/1000, "ms/p99")
				})
			}
		})
	}
}
