// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import "hgbroker/worker/hg/template"

// Diff is template.DiffReader's.
func (t *Templates) Diff(ctx template.Changectx, include, exclude []string) (string, error) {
	return t.Diffs.Diff(ctx, include, exclude)
}

// DiffStat is template.DiffReader's.
func (t *Templates) DiffStat(ctx template.Changectx) (files, added, removed int, err error) {
	return t.Diffs.DiffStat(ctx)
}
