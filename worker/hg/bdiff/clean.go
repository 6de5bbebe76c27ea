// SPDX-License-Identifier: GPL-2.0-or-later

package bdiff

// Clean is a line, or a text, without what the options ignore in it; empty lines
// stay. It may be its argument.
func (o Options) Clean(text []byte) []byte { return o.clean(text, false) }
