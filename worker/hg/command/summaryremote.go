// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"fmt"
	"strings"

	"hgbroker/worker/hg/node"
)

// showRemote adds what summary --remote finds out: what would be pulled and pushed.
func (s *summary) showRemote() error {
	c, v := s.c, s.v
	from, err := c.pullPlace("summary", "default")
	if err != nil {
		return err
	}
	source, err := c.openPeer(from, false)
	if err != nil {
		return err
	}
	if c.Debug {
		c.Print("comparing with " + source.shown + "\n")
	}
	v.HiddenCount() // hg looks at what is visible, and may warn
	var own []node.Rev
	for _, h := range v.Heads() {
		own = append(own, node.Rev(h))
	}
	in, err := c.silent().discover(v, source, own, false)
	if err != nil {
		return err
	}
	to, err := c.pushPlace(nil)
	if err != nil {
		return err
	}
	dest, err := c.openPeer(to, true)
	if err != nil {
		return err
	}
	if source.branch != "" || dest.branch != "" {
		return unsupported("summary --remote of a branch")
	}
	if c.Debug && dest.where != source.where {
		c.Print("comparing with " + dest.shown + "\n")
	}
	out, _, err := c.silent().outgoing(v, dest)
	if err != nil {
		return err
	}
	var words []string
	add := func(format string, n int) {
		if n > 0 {
			words = append(words, fmt.Sprintf(format, n))
		}
	}
	if in.incoming {
		words = append(words, "1 or more incoming")
	}
	add("%d outgoing", len(out))
	c.listKeys("namespaces")
	c.listKeys("bookmarks")
	there, here := dest.served(), marksOf(v)
	add("%d incoming bookmarks", lacking(there, here))
	add("%d outgoing bookmarks", lacking(here, there))
	if len(words) > 0 {
		c.Print("remote: " + strings.Join(words, ", ") + "\n")
	} else {
		c.Status("remote: (synced)\n")
	}
	return nil
}

// lacking counts the bookmarks that only one side has.
func lacking(have, other markTable) int {
	n := 0
	for name := range have {
		if _, both := other[name]; !both {
			n++
		}
	}
	return n
}
