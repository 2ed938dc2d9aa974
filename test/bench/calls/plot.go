package main

import (
	"fmt"
	"math"
	"strings"
)

// plot is CPU and latency against the number of calls, as SVG.
func (r *report) plot() string {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 360" font-family="sans-serif" font-size="12">` +
		`<rect width="900" height="360" fill="#fff"/>`)
	r.panel(&b, 60, "CPU a call, % of one core", func(m measurement) float64 { return m.CPU })
	r.panel(&b, 510, "added latency of speech, p95, ms", func(m measurement) float64 { return m.Speech.P95 })
	b.WriteString(`</svg>` + "\n")
	return b.String()
}

const (
	panelWidth, panelHeight = 360.0, 260.0
	panelTop                = 50.0
)

// panel draws one value of bridge and relay.
func (r *report) panel(b *strings.Builder, left float64, title string, value func(measurement) float64) {
	highest := 0.0
	for _, row := range r.Rows {
		highest = max(highest, value(row.Bridge), value(row.Relay))
	}
	if highest == 0 {
		return
	}
	fmt.Fprintf(b, `<text x="%.0f" y="30" font-size="14">%s</text>`, left, title)
	for i := range 5 {
		share := float64(i) / 4
		y := panelTop + panelHeight*(1-share)
		fmt.Fprintf(b, `<path d="M%.0f %.1fh%.0f" stroke="#ddd"/><text x="%.0f" y="%.1f" text-anchor="end">%.3g</text>`,
			left, y, panelWidth, left-6, y+4, highest*share)
	}
	most := math.Log(float64(max(2, r.Rows[len(r.Rows)-1].Calls)))
	x := func(calls int) float64 { return left + panelWidth*math.Log(float64(calls))/most }
	for _, row := range r.Rows {
		fmt.Fprintf(b, `<text x="%.1f" y="%.0f" text-anchor="middle">%d</text>`, x(row.Calls), panelTop+panelHeight+18, row.Calls)
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" text-anchor="middle">calls</text>`, left+panelWidth/2, panelTop+panelHeight+36)
	for i, server := range []string{"bridge", "relay"} {
		color := []string{"#0a6", "#888"}[i]
		var points []string
		for _, row := range r.Rows {
			v := value([]measurement{row.Bridge, row.Relay}[i])
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(row.Calls), panelTop+panelHeight*(1-v/highest)))
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, strings.Join(points, " "), color)
		fmt.Fprintf(b, `<text x="%.0f" y="30" fill="%s" text-anchor="end">%s</text>`, left+panelWidth-float64(60*(1-i)), color, server)
	}
}
