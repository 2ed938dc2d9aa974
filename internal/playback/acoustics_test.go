package playback

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"testing/synctest"
	"time"

	"aldeabridge/codec"
)

// message is the number of samples in each message from the carrier: 20 ms.
const message = 160

// A room simulates a carrier, a telephone and a caller: it plays the player's audio, and the microphone picks up the caller's
// speech, an echo of the played audio, and noise.
type room struct {
	up, down time.Duration // delays of both directions
	delay    time.Duration // of the echo, without up and down
	loss     float64       // of the echo in dB; 0 for no echo
	again    time.Duration // delay of a second echo after the first; 0 for none
	burst    int           // number of messages that are delayed and arrive at once, alternating with as many in time
	quiet    time.Duration // how long nothing plays at the beginning
	noise    float64       // level in dB of full scale; 0 for none
	caller   []int16       // the caller's speech, from the beginning of the call
	rng      *rand.Rand

	p     *Player
	began time.Time

	mu      *sync.Mutex // guards the rest
	played  []int16     // from the beginning of the call
	cleared time.Time
}

func (r *room) sample(t time.Time) int { return int(t.Sub(r.began) / perSample) }

func (r *room) SendMedia(mulaw []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := r.sample(time.Now().Add(r.up)); len(r.played) < at; {
		r.played = append(r.played, 0)
	}
	n := len(r.played)
	r.played = append(r.played, make([]int16, len(mulaw))...)
	codec.DecodeMuLaw(r.played[n:], mulaw)
	return nil
}

func (r *room) SendMark(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ahead := time.Duration(len(r.played))*perSample - time.Since(r.began)
	time.AfterFunc(max(r.up, ahead)+r.down, func() { r.p.Mark(name) })
	return nil
}

func (r *room) SendClear() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cleared.IsZero() {
		r.cleared = time.Now()
	}
	r.played = r.played[:min(len(r.played), max(0, r.sample(time.Now().Add(r.up))))]
	return nil
}

func (r *room) isCleared() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.cleared.IsZero()
}

func (r *room) playedAt(i int) float64 {
	if i < 0 || i >= len(r.played) {
		return 0
	}
	return float64(r.played[i])
}

// microphone sets pcm to the audio that leaves the telephone from sample i on.
func (r *room) microphone(pcm []int16, i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gain, hiss := math.Pow(10, -r.loss/20), 32768*math.Pow(10, r.noise/20)
	for n := range pcm {
		v := 0.0
		if i+n < len(r.caller) {
			v = float64(r.caller[i+n])
		}
		if r.loss > 0 {
			v += gain * r.playedAt(i+n-int(samples(r.delay)))
			if r.again > 0 {
				v += gain * r.playedAt(i+n-int(samples(r.delay+r.again)))
			}
		}
		if r.noise < 0 {
			v += hiss * r.rng.NormFloat64()
		}
		pcm[n] = int16(max(-32768, min(32767, v)))
	}
}

// call plays audio to the caller, from the beginning of the call, and returns how long after it a clear was sent, if one was.
// It must run in a bubble.
func (r *room) call(audio []int16, echoLoss float64) (time.Duration, bool) {
	r.mu = new(sync.Mutex)
	r.rng = rand.New(rand.NewPCG(1, 2))
	r.p = New(Config{Line: r, EchoLoss: echoLoss})
	r.began = time.Now()
	mulaw := make([]byte, len(audio))
	codec.EncodeMuLaw(mulaw, audio)
	time.AfterFunc(r.quiet, func() { _ = r.p.Enqueue(Item{Source: &recording{mulaw}, Interruptible: true}) })
	pcm, wire, held := make([]int16, message), make([]byte, message), 0
	end := len(audio) + int(samples(r.quiet+r.up+r.down+r.delay+r.again+200*ms))
	for i := 0; i < end && !r.isCleared(); i += message {
		time.Sleep(time.Until(r.began.Add(duration(int64(i+message)) + r.down)))
		synctest.Wait() // the player has sent as far ahead as it may
		if held++; i/message%(2*r.burst+1) < r.burst {
			continue
		}
		for ; held > 0; held-- {
			r.microphone(pcm, i-(held-1)*message)
			codec.EncodeMuLaw(wire, pcm)
			r.p.Heard(wire)
		}
		synctest.Wait()
	}
	_ = r.p.Close()
	return r.cleared.Sub(r.began), !r.cleared.IsZero()
}

// A recording is a Source that returns all of its audio at once.
type recording struct{ rest []byte }

func (r *recording) Next(context.Context) ([]byte, error) {
	if len(r.rest) == 0 {
		return nil, io.EOF
	}
	b := r.rest
	r.rest = nil
	return b, nil
}

func (r *recording) Close() error { return nil }
