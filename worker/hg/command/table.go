// SPDX-License-Identifier: GPL-2.0-or-later

package command

// specs lists the native commands.
func specs() []*Spec {
	return []*Spec{
		&bookmarksSpec, &branchSpec, &branchesSpec, &catSpec, &configSpec, &filesSpec, &headsSpec, &identifySpec,
		&logSpec, &manifestSpec, &parentsSpec, &pathsSpec, &phaseSpec, &rootSpec, &statusSpec, &tagsSpec, &tipSpec,
		&versionSpec,
	}
}
