// SPDX-License-Identifier: GPL-2.0-or-later

package deflate

// heap is the nodes of a tree that have no parent yet, the rarest first; of two
// as frequent ones the flatter. depth is the height of what is below a node.
type heap struct {
	t     *tree
	depth [maxNodes]int
	nodes []int // from 1
}

func (p *heap) less(a, b int) bool {
	if x, y := p.t.freq[a], p.t.freq[b]; x != y {
		return x < y
	}
	return p.depth[a] <= p.depth[b]
}

// sift moves the node at k down to its place.
func (p *heap) sift(k int) {
	node, last := p.nodes[k], len(p.nodes)-1
	for j := 2 * k; j <= last; j *= 2 {
		if j < last && p.less(p.nodes[j+1], p.nodes[j]) {
			j++
		}
		if p.less(node, p.nodes[j]) {
			break
		}
		p.nodes[k] = p.nodes[j]
		k = j
	}
	p.nodes[k] = node
}

// build finds the lengths of the codes from their frequencies, and adds to
// h.bits and h.fixedBits what they take.
func (h *huffman) build(t *tree) {
	p := heap{t: t, nodes: make([]int, 1, t.size+1)}
	t.maxCode = 0
	for i := range t.size {
		t.length[i] = 0
		if t.freq[i] != 0 {
			p.nodes = append(p.nodes, i)
			t.maxCode = i
		}
	}
	if len(p.nodes) == 1 {
		t.maxCode = -1
	}
	// There are at least two codes, if need be of no use.
	for len(p.nodes) < 3 {
		node := 0
		if t.maxCode < 2 {
			t.maxCode++
			node = t.maxCode
		}
		p.nodes = append(p.nodes, node)
		t.freq[node] = 1
		h.bits--
		if t.fixed != nil {
			h.fixedBits -= t.fixed[node]
		}
	}
	for k := (len(p.nodes) - 1) / 2; k >= 1; k-- {
		p.sift(k)
	}
	// order is all nodes, the frequent ones last.
	order := make([]int, 0, maxNodes)
	for node := t.size; ; node++ {
		a := p.nodes[1]
		p.nodes[1] = p.nodes[len(p.nodes)-1]
		p.nodes = p.nodes[:len(p.nodes)-1]
		p.sift(1)
		b := p.nodes[1]
		order = append(order, a, b)
		t.freq[node] = t.freq[a] + t.freq[b]
		p.depth[node] = max(p.depth[a], p.depth[b]) + 1
		t.parent[a], t.parent[b] = node, node
		p.nodes[1] = node
		p.sift(1)
		if len(p.nodes) == 2 {
			t.length[node] = 0
			break
		}
	}
	h.measure(t, order)
}

// measure gives the nodes their lengths, from the root down.
func (h *huffman) measure(t *tree, order []int) {
	var count [maxBits + 1]int
	cost := func(node, length int) {
		extra := 0
		if node >= t.extraBase {
			extra = t.extra[node-t.extraBase]
		}
		h.bits += t.freq[node] * (length + extra)
		if t.fixed != nil {
			h.fixedBits += t.freq[node] * (t.fixed[node] + extra)
		}
	}
	tooLong := 0
	for i := len(order) - 1; i >= 0; i-- {
		node := order[i]
		length := t.length[t.parent[node]] + 1
		if length > t.maxLength {
			length = t.maxLength
			tooLong++
		}
		t.length[node] = length
		if node < t.size {
			count[length]++
			cost(node, length)
		}
	}
	if tooLong == 0 {
		return
	}
	// Codes that are too long get room: a shorter one goes one bit down, and has
	// one of them beside it.
	for ; tooLong > 0; tooLong -= 2 {
		length := t.maxLength - 1
		for count[length] == 0 {
			length--
		}
		count[length]--
		count[length+1] += 2
		count[t.maxLength]--
	}
	i := 0
	for length := t.maxLength; length > 0; length-- {
		for n := count[length]; n > 0; i++ {
			node := order[i]
			if node >= t.size {
				continue
			}
			h.bits += (length - t.length[node]) * t.freq[node]
			t.length[node] = length
			n--
		}
	}
}
