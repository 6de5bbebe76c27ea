// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/language"
)

// disabledCommands are those that the extensions which come with Mercurial 6.3 or
// 7.2 would add. hg explains such a command when its extension is not enabled.
var disabledCommands = strings.Fields(`
	absorb admin::clone-bundles-clear admin::clone-bundles-refresh admin::clonebundlesclear admin::clonebundlesrefresh amend
	blackbox censor children churn clean close-head close-heads closehead closeheads convert debug-cat-file debug-diff-tree debug-merge-base
	debug-rev-list debug::lfs-local-cache debug::lfslocalcache debugbuildannotatecache debugcatfile debugcvsps debugdatapack
	debugdifftree debugexpandscheme debugfsmonitor debughistorypack debugkeepset debuglfput debuglfsupload debugmergebase
	debugparsereleasenotes debugremotefilelog debugrevlist debugsparse debugsvnlog debugwaitonprefetch debugwaitonrepack email
	extdiff fa fastannotate fastblame fastexport fetch fix gc git githelp glog histedit journal kwdemo kwexpand kwfiles
	kwshrink lfconvert lfpull phabimport phabread phabsend phabupdate phabstatus phabordermigrate prefetch purge
	qapplied qci qclone qcommit qdelete qdiff qfinish qfold qgoto qguard qheader qimport qinit qmv qnew qnext qpop qprev
	qpush qqueue qrecord qrefresh qremove qrename qrestore qrm qsave qselect qseries qtop qunapplied rebase record releasenotes
	relink repack share show sigcheck sign sigs split strip tracked transplant unamend uncommit unshare verifyremotefilelog view`)

// unknownCommand is what hg says about a command that it does not know: others of
// similar names, if there are any. What it says with the texts of its help is left
// to it.
func (d *dispatcher) unknownCommand(name string) error {
	refusal := hgerr.NewUnsupported("unknown command %s, which hg explains", name)
	if v := d.r.Hg.Version; !strings.HasPrefix(v, "6.3") && !strings.HasPrefix(v, "7.2") {
		return refusal // a release with other commands, or something that is no Mercurial
	}
	if len(d.loaded.extensions) > 0 || d.early.On("traceback") {
		return refusal
	}
	for _, it := range d.cfg.Items("extensions") {
		if len(it.Text) > 1 {
			return refusal // disabled, but hg knows where it is
		}
	}
	if slices.ContainsFunc(disabledCommands, func(c string) bool { return strings.HasPrefix(c, name) }) {
		return refusal
	}
	var all []string
	for _, c := range cmdline.Commands(d.dialect.version) {
		all = append(all, c.Names...)
	}
	for _, alias := range d.loaded.aliases {
		if strings.ContainsAny(alias, "|-") {
			return refusal
		}
		if !slices.Contains(all, alias) {
			all = append(all, alias)
		}
	}
	a := hgerr.Abortf(hgerr.Input, "unknown command '%s'", name)
	a.Prefix = "hg: "
	if a.Hint = language.Suggest(name, all); a.Hint == "" {
		a.Hint = "use 'hg help' for a list of commands"
	}
	return a
}
