package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// crashPath is the environment variable with the path of a journal. If it is set, the test binary appends to that journal.
const crashPath = "JOURNAL_CRASH_PATH"

// appendUntilKilled appends events of several calls concurrently, and settles some. It prints a line for each
// acknowledged event.
func appendUntilKilled(path string) {
	s, err := Open(Options{Path: path, Endpoints: []string{"crm"}, MaxAge: -1})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	var work sync.WaitGroup
	for c := range 20 {
		work.Go(func() {
			for i := 0; ; i++ {
				r, err := s.Append(context.Background(), utterance(fmt.Sprint("CA", c), i))
				if err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println("ack", r.CallID, r.Sequence, r.ID) // one write: os.Stdout has no buffer
				mu.Unlock()
				if i%3 == 0 {
					if err := s.Settle(context.Background(), r.Position, "crm", "delivered"); err != nil {
						fmt.Println("error", err)
					}
				}
			}
		})
	}
	work.Wait()
}

// acks adds the events that a killed child acknowledged to known: ids by call and sequence.
func acks(t *testing.T, out io.Reader, known map[string]string) (n int) {
	t.Helper()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var call, id string
		var sequence int64
		if strings.HasPrefix(lines.Text(), "error") {
			t.Error(lines.Text())
		}
		if _, err := fmt.Sscanf(lines.Text(), "ack %s %d %s", &call, &sequence, &id); err != nil || len(id) != 30 {
			continue // cut off
		}
		known[fmt.Sprint(call, "/", sequence)] = id
		n++
	}
	return n
}

// verify checks that all known events are in the journal at path, and that the sequences have no holes.
func verify(t *testing.T, path string, known map[string]string) {
	t.Helper()
	s, err := Open(Options{Path: path, Endpoints: []string{"crm"}, MaxAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if r := s.Stats().Salvage; r != nil {
		t.Errorf("a kill was taken for damage: %v", r)
	}
	stored := map[string]string{}
	sequences := map[string]int64{}
	for after := int64(0); after < s.Last(); {
		records, err := s.Since(t.Context(), after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			after = r.Position
			if sequences[r.CallID]++; r.Sequence != sequences[r.CallID] {
				t.Fatalf("%s: got sequence %d, want %d", r.CallID, r.Sequence, sequences[r.CallID])
			}
			stored[fmt.Sprint(r.CallID, "/", r.Sequence)] = r.ID
		}
	}
	for place, id := range known {
		if stored[place] != id {
			t.Errorf("got %q at %s, want %s, which was acknowledged", stored[place], place, id)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNothingAcknowledgedIsLostByAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for round := range 8 {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), crashPath+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		first := bufio.NewReader(out)
		if _, err := first.Peek(1); err != nil { // it is at work
			t.Fatal(err)
		}
		timer := time.AfterFunc(rand.N(150*time.Millisecond), func() {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		})
		n := acks(t, first, known)
		timer.Stop()
		if err := cmd.Wait(); err == nil {
			t.Error("the child ended by itself")
		}
		t.Logf("round %d: killed after %d acknowledged events", round, n)
		verify(t, path, known)
	}
}
