package sandbox_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

func TestAStreamIsResetOverTCP(t *testing.T) {
	for _, after := range []time.Duration{sandbox.AtOpen, 500 * time.Millisecond} {
		srv := serve(t, sandbox.Options{Fault: sandbox.Fault{DropAfter: after}})
		c := dial(t, srv, "")
		for c.conn.WriteMessage(websocket.BinaryMessage, make([]byte, 320)) == nil {
		}
		_, err := c.rest()
		var closed *websocket.CloseError
		if err == nil || errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
			t.Errorf("%v: got %v, want a cut", after, err)
		}
		got := waitFor(t, srv, ended)
		if got.Audio != max(0, after) || got.CloseCode != 1006 || got.ClosedBy != "server" {
			t.Errorf("%v: got %v of audio, close %d by %s", after, got.Audio, got.CloseCode, got.ClosedBy)
		}
	}
}

func TestADropAtOpenComesBeforeEverything(t *testing.T) {
	bubble(t, sandbox.Options{Fault: sandbox.Fault{DropAfter: sandbox.AtOpen}}, func(t *testing.T, srv *sandbox.Server) {
		if all, err := dial(t, srv, "").hearing()(); len(all) != 0 || err == nil {
			t.Errorf("got %v, %v; want nothing and a cut", all, err)
		}
	})
}

func TestAStreamIsClosedWithCodeAndReason(t *testing.T) {
	for _, c := range []struct {
		fault  sandbox.Fault
		code   int
		reason string
		sent   int
	}{
		{sandbox.Fault{CloseAfter: 1200 * time.Millisecond}, 1011, "", 4},
		{sandbox.Fault{CloseAfter: 1200 * time.Millisecond, CloseCode: 1012, CloseReason: "deploy"}, 1012, "deploy", 4},
		{sandbox.Fault{CloseAfter: sandbox.AtOpen, CloseCode: 4001, CloseReason: "quota"}, 4001, "quota", 0},
	} {
		bubble(t, sandbox.Options{Fault: c.fault}, func(t *testing.T, srv *sandbox.Server) {
			cl := dial(t, srv, "")
			wait := cl.hearing()
			_ = cl.conn.WriteMessage(websocket.BinaryMessage, bytes16(silence(3*time.Second, 8000))) // may be too late
			all, err := wait()
			if reason := wantClose(t, err, c.code); reason != c.reason || len(all) != c.sent {
				t.Errorf("%v: got reason %q after %d messages, want %q after %d", c.fault, reason, len(all), c.reason, c.sent)
			}
			synctest.Wait()
			if got := srv.Connections()[0]; got.CloseCode != c.code || got.CloseReason != c.reason || got.ClosedBy != "server" || got.Audio != max(0, c.fault.CloseAfter) {
				t.Errorf("%v: inspection shows %d %q by %s after %v", c.fault, got.CloseCode, got.CloseReason, got.ClosedBy, got.Audio)
			}
		})
	}
}

func TestTheEarliestEndStrikes(t *testing.T) {
	f := sandbox.Fault{CloseAfter: time.Second, DropAfter: 2 * time.Second, HalfOpenAfter: 3 * time.Second}
	bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "")
		wait := c.hearing()
		_ = c.conn.WriteMessage(websocket.BinaryMessage, bytes16(silence(4*time.Second, 8000))) // may be too late
		_, err := wait()
		wantClose(t, err, 1011)
	})
}

func TestAHalfOpenStreamNeitherReadsNorWrites(t *testing.T) {
	bubble(t, sandbox.Options{Fault: sandbox.Fault{HalfOpenAfter: 800 * time.Millisecond}}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "")
		var pongs atomic.Int32
		c.conn.SetPongHandler(func(string) error { pongs.Add(1); return nil })
		wait := c.hearing()
		c.live(400 * time.Millisecond)
		if err := c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		c.live(400 * time.Millisecond)
		synctest.Wait()
		if pongs.Load() != 1 {
			t.Errorf("got %d pongs before, want 1", pongs.Load())
		}
		frozen, blocked := time.Now(), make(chan struct{})
		go func() { // in memory, what is not read blocks the writer
			defer close(blocked)
			_ = c.conn.WriteControl(websocket.PingMessage, nil, time.Time{})
			c.live(3 * time.Second)
			c.control("CloseStream")
		}()
		time.Sleep(8 * time.Minute)
		select {
		case <-blocked:
			t.Fatal("a half-open stream read on")
		default:
		}
		if got := srv.Connections()[0]; pongs.Load() != 1 || got.Audio != 800*time.Millisecond || !got.Open {
			t.Errorf("got %d pongs, %v of audio, open %v; want 1, 800 ms, true", pongs.Load(), got.Audio, got.Open)
		}
		srv.Heal()
		<-blocked
		all, err := wait()
		wantClose(t, err, websocket.CloseNormalClosure)
		if got := utterances(textsOf(all)); len(got) != 2 || pongs.Load() != 2 {
			t.Errorf("got %q and %d pongs after healing, want both utterances and 2", got, pongs.Load())
		}
		for _, a := range all {
			if took := frozen.Add(a.at); took.After(frozen.Add(time.Second)) && took.Before(frozen.Add(8*time.Minute)) {
				t.Errorf("got %s at %v, while the stream was half-open", a.text, a.at)
			}
		}
	})
}

func TestAHalfOpenStreamEndsWithCloseAndAfterTenMinutes(t *testing.T) {
	begin := func(t *testing.T, srv *sandbox.Server) *client {
		c := dial(t, srv, "")
		go func() { _ = c.conn.WriteMessage(websocket.BinaryMessage, bytes16(silence(time.Second, 8000))) }()
		return c
	}
	opts := sandbox.Options{Fault: sandbox.Fault{HalfOpenAfter: sandbox.AtOpen}, MaxConnections: 1}
	bubble(t, opts, func(t *testing.T, srv *sandbox.Server) {
		wait := begin(t, srv).hearing()
		opened := time.Now()
		if all, err := wait(); err == nil || len(all) != 0 || time.Since(opened) != 10*time.Minute {
			t.Errorf("got %v, %v after %v; want a cut after ten minutes", all, err, time.Since(opened))
		}
	})
	bubble(t, opts, func(t *testing.T, srv *sandbox.Server) {
		wait := begin(t, srv).hearing()
		time.Sleep(time.Minute)
		begin(t, srv) // the first one does not count as one that works
		_ = srv.Close()
		if all, err := wait(); err == nil || len(all) != 0 {
			t.Errorf("got %v, %v; want an end with the server's", all, err)
		}
	})
}

func TestAHalfOpenStreamFillsItsSocket(t *testing.T) {
	srv := serve(t, sandbox.Options{Fault: sandbox.Fault{HalfOpenAfter: 100 * time.Millisecond}})
	c := dial(t, srv, "")
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		for {
			if err := c.conn.WriteMessage(websocket.BinaryMessage, make([]byte, 1<<16)); err != nil {
				done <- err
				return
			}
			if err := c.conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
				done <- err
				return
			}
		}
	}()
	select {
	case err := <-done:
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v, want a write that finds no room", err)
		}
	case <-ctx.Done():
		t.Fatal("the server read on")
	}
	if got := srv.Connections()[0]; got.Audio != 100*time.Millisecond || !got.Open {
		t.Errorf("got %v of audio, open %v; want 100 ms, true", got.Audio, got.Open)
	}
}

func TestAStalledStreamAnswersPingsAndNothingElse(t *testing.T) {
	bubble(t, sandbox.Options{Fault: sandbox.Fault{StallAfter: 500 * time.Millisecond}}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "")
		var pongs atomic.Int32
		c.conn.SetPongHandler(func(string) error { pongs.Add(1); return nil })
		wait := c.hearing()
		c.live(4 * time.Second)
		_ = c.conn.WriteControl(websocket.PingMessage, nil, time.Time{})
		c.control("CloseStream")
		time.Sleep(time.Minute)
		if got := srv.Connections()[0]; got.Audio != 4*time.Second || pongs.Load() != 1 || len(got.Sent) != 2 {
			t.Errorf("got %v of audio, %d pongs, %d messages; want 4 s, 1, 2 (Metadata and one interim)", got.Audio, pongs.Load(), len(got.Sent))
		}
		srv.Heal()
		all, err := wait()
		wantClose(t, err, websocket.CloseNormalClosure)
		if got := utterances(textsOf(all)); len(got) != 2 {
			t.Errorf("got %q after healing, want what was withheld", got)
		}
		for _, a := range all[2:] {
			if a.at != 64*time.Second {
				t.Errorf("got %s at %v, want it at 64 s, when the server was healed", a.text, a.at)
			}
		}
	})
}

func TestAStalledStreamEndsWithItsClient(t *testing.T) {
	bubble(t, sandbox.Options{Fault: sandbox.Fault{StallAfter: sandbox.AtOpen}}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "")
		wait := c.hearing()
		c.silence(time.Second)
		c.control("CloseStream")
		time.Sleep(time.Minute)
		_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Time{})
		if all, err := wait(); len(all) != 0 || err == nil {
			t.Errorf("got %v, %v; want no message", all, err)
		}
		synctest.Wait()
		if got := srv.Connections()[0]; got.Open {
			t.Error("the stream outlived its client")
		}
	})
}

func TestWhatIsWithheldIsBounded(t *testing.T) {
	f := sandbox.Fault{StallAfter: sandbox.AtOpen, EmptyFinals: true, LateInterim: true, Duplicate: true}
	bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "")
		wait := c.hearing()
		c.silence(20 * time.Millisecond)
		for i := 0; c.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"Finalize"}`)) == nil; i++ {
			if i > 10000 {
				t.Fatal("the server withholds without end")
			}
			if i%100 == 0 {
				synctest.Wait() // the server must not fall behind what is counted here
			}
		}
		all, err := wait()
		if reason := wantClose(t, err, websocket.CloseInternalServerErr); !strings.Contains(reason, "withheld") || len(all) != 0 {
			t.Errorf("got reason %q after %d messages, want it to say why", reason, len(all))
		}
	})
}

func TestHealingMakesRunningStreamsHealthy(t *testing.T) {
	f := sandbox.Fault{DropAfter: 2 * time.Second, Latency: time.Second, Words: sandbox.WordsAbsent, Duplicate: true, EmptyInterims: true}
	bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		c := dial(t, srv, "")
		wait := c.hearing()
		c.live(1500 * time.Millisecond)
		srv.Heal()
		c.live(2500 * time.Millisecond)
		c.control("CloseStream")
		all, err := wait()
		wantClose(t, err, websocket.CloseNormalClosure)
		if got := briefs(textsOf(all)); got[len(got)-1] != "good bye 1-2.9 final end" || got[len(got)-2] != "good bye 1-2.6" {
			t.Errorf("got %q, want one healthy final at the end", got)
		}
	})
}
