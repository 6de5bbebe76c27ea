// SPDX-License-Identifier: GPL-2.0-or-later

package node

// Heap is a heap.Interface that yields the highest revision first.
type Heap []Rev

func (h Heap) Len() int           { return len(h) }
func (h Heap) Less(i, j int) bool { return h[i] > h[j] }
func (h Heap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for package heap.
func (h *Heap) Push(x any) { *h = append(*h, x.(Rev)) }

// Pop is for package heap.
func (h *Heap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
