package main

import (
	"encoding/json"
	"os"
	"slices"
)

// quantiles of a set of numbers.
type quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func quantilesOf(all []float64) quantiles {
	if len(all) == 0 {
		return quantiles{}
	}
	slices.Sort(all)
	at := func(q float64) float64 { return all[int(q*float64(len(all)-1))] }
	return quantiles{at(0.50), at(0.95), at(0.99), all[len(all)-1]}
}

// median of a set of numbers; 0 of none.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	all = slices.Clone(all)
	slices.Sort(all)
	return (all[len(all)/2] + all[(len(all)-1)/2]) / 2
}

func writeJSON(file string, v any) error {
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// addedLatency is how much later than each frame its audio arrived, in milliseconds, for frames sent within a window
// of the wall clock: those that are speech, and all.
func addedLatency(sent map[int][]int64, arrivals map[int][]arrival, from, to int64) (speech, all []float64) {
	for call, heard := range arrivals {
		i := 0
		for n, at := range sent[call] {
			for i < len(heard) && heard[i].Until < int64(n+1)*20 {
				i++
			}
			if i == len(heard) {
				break
			}
			if at >= from && at < to {
				ms := float64(heard[i].At-at) / 1e6
				all = append(all, ms)
				if isSpeech(call, n) {
					speech = append(speech, ms)
				}
			}
		}
	}
	return speech, all
}
