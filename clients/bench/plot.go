// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// The plot: for every repository a panel, for every command a line, on it a dot
// at the median of each contender. The axis is logarithmic.

// colors of the contenders, ours warm and dark; who is not here is not drawn.
var colors = []struct{ contender, color string }{
	{"stdio", "#c1121f"}, {"drop-in", "#f77f00"}, {"cold", "#e9c46a"}, {"git", "#6c757d"}, {"rhg", "#8d6346"},
	{"hglib", "#2a9d8f"}, {"chg-cache", "#4cc9f0"}, {"chg", "#4361ee"}, {"hg", "#14213d"},
}

// The layout, in pixels.
const (
	labels, breadth = 240, 640 // of the commands; of the axis
	step, margin    = 20, 16   // from line to line; around everything
)

// svg draws a run.
func (r *report) svg() string {
	var b strings.Builder
	low, high := math.Inf(1), math.Inf(-1)
	for _, res := range r.Results {
		for _, w := range res.Rows {
			for _, c := range colors {
				if t := w.Times[c.contender]; t.Count > 0 && t.P50 > 0 {
					low, high = min(low, math.Floor(math.Log10(t.P50))), max(high, math.Ceil(math.Log10(t.P50)))
				}
			}
		}
	}
	if low >= high {
		low, high = 1, 2
	}
	at := func(us float64) float64 { return labels + breadth*(math.Log10(us)-low)/(high-low) }
	text := func(x, y float64, anchor, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(s))
	}
	y := float64(margin)
	for i, c := range colors {
		x := float64(margin + i*95)
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="5" fill="%s"/>`+"\n", x, y, c.color)
		text(x+10, y+4, "start", c.contender)
	}
	for _, res := range r.Results {
		y += 2 * step
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" font-weight="bold">%s</text>`+"\n", margin, y, html.EscapeString(res.Repository))
		top := y + step/2
		bottom := top + float64(len(res.Rows)*step)
		for d := low; d <= high; d++ {
			us := math.Pow(10, d)
			fmt.Fprintf(&b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ccc"/>`+"\n", at(us), top, at(us), bottom)
			text(at(us), bottom+14, "middle", decade(us))
		}
		for i, w := range res.Rows {
			y = top + step*(float64(i)+0.5)
			text(labels-12, y+4, "end", w.Command)
			fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#eee"/>`+"\n", labels, y, labels+breadth, y)
			for _, c := range slices.Backward(colors) {
				if t := w.Times[c.contender]; t.Count > 0 && t.P50 > 0 {
					fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="5" fill="%s" fill-opacity="0.85"><title>%s: %s</title></circle>`+"\n",
						at(t.P50), y, c.color, c.contender, show(t.P50))
				}
			}
		}
		y = bottom + step
	}
	size := fmt.Sprintf(`width="%d" height="%.0f" viewBox="0 0 %d %.0f"`, labels+breadth+3*margin, y+margin, labels+breadth+3*margin, y+margin)
	return `<svg xmlns="http://www.w3.org/2000/svg" ` + size + ` font-family="sans-serif" font-size="12" fill="#222">` + "\n" +
		`<rect width="100%" height="100%" fill="#fff"/>` + "\n" + b.String() + "</svg>\n"
}

// decade names a power of ten.
func decade(us float64) string {
	switch {
	case us < 1000:
		return fmt.Sprintf("%g µs", us)
	case us < 1e6:
		return fmt.Sprintf("%g ms", us/1e3)
	}
	return fmt.Sprintf("%g s", us/1e6)
}
