// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

// Forgets tells whether a Displayer keeps nothing of the Changectx that it has shown,
// whose memory may then be the next one's.
func Forgets(d Displayer) bool {
	switch d := d.(type) {
	case *printer:
		return !d.o.Stat && !d.o.Patch
	case *fieldDisplayer:
		return !d.fm.mapped && !d.o.Stat && !d.o.Patch
	}
	ok, _ := Independent(d)
	return ok
}

// Independent tells whether a Displayer shows each changeset from columns of that
// alone, whatever it has shown before, and whether tags and bookmarks are among
// them. Then several Displayers, made alike, may show some changesets each.
func Independent(d Displayer) (ok, names bool) {
	switch d := d.(type) {
	case *printer:
		return !d.opts.Debug && d.opts.Label == nil && !d.o.Stat && !d.o.Patch, !d.opts.Quiet
	case *templateDisplayer:
		p := d.parts
		if p.item == nil || p.header != nil || p.footer != nil || p.separator != nil || d.o.Stat || d.o.Patch {
			return false, false
		}
		return p.item.Columns()
	}
	return false, false
}
