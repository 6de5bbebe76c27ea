// SPDX-License-Identifier: GPL-2.0-or-later

package repo

// EvolutionEnabled tells whether markers may be created, which is when commands
// speak of the troubles that come with them (Mercurial's obsolete.isenabled).
func (v *View) EvolutionEnabled() bool { return v.evolutionEnabled() }
