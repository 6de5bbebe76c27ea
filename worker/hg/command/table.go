// SPDX-License-Identifier: GPL-2.0-or-later

package command

// specs lists the native commands.
func specs() []*Spec {
	return append(append(readSpecs(), copySpecs()...), []*Spec{
		&annotateSpec, &archiveSpec, &bookmarksSpec, &branchSpec, &branchesSpec, &catSpec, &configSpec, &diffSpec, &exportSpec, &filesSpec, &headsSpec, &identifySpec,
		&logSpec, &manifestSpec, &parentsSpec, &pathsSpec, &phaseSpec, &rootSpec, &statusSpec, &tagsSpec, &tipSpec,
		&versionSpec,
	}...)
}
