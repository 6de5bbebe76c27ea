// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/command"
	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/requires"
)

// extension is what is known of one that comes with Mercurial: how it changes
// what the native commands print. One that is not in the table may change
// anything, so that hg runs every command while it is enabled.
type extension struct {
	name string
	// adds are its commands, which make abbreviations ambiguous.
	adds string
	// names are revset predicates, template keywords and the like that it adds.
	// A command line or a template that has one of them is hg's.
	names string
	// touches are the commands that it changes.
	touches string
	// touchesWhen restricts touches to repositories that have this file, which is
	// not empty, in .hg; with no touches it is then every command.
	touchesWhen string
	// why says in the README what touches is about.
	why string
}

// extensions are in alphabetical order. What they add was listed by hg 6.3 and
// 7.2; TestExtensions asks hg whether the rest is true.
var extensions = []extension{
	{name: "absorb", adds: "absorb"},
	{name: "acl"},
	{name: "amend", adds: "amend"},
	{name: "automv"},
	{name: "beautifygraph", touches: "log incoming outgoing", why: "draws graphs with other characters"},
	{name: "bookflow", touches: "branch", why: "forbids branches"},
	{name: "bugzilla"},
	{name: "censor", adds: "censor"},
	{name: "children", adds: "children"},
	{name: "churn", adds: "churn"},
	{name: "closehead", adds: "close-head close-heads closehead closeheads"},
	{name: "commitextras"},
	{name: "convert", adds: "convert debugcvsps debugsvnlog", names: "svnpath svnrev svnuuid"},
	{name: "eol", touches: "annotate archive cat config diff grep identify status summary", why: "converts line ends in the working directory"},
	{name: "extdiff", adds: "extdiff"},
	{name: "factotum"},
	{name: "fastannotate", adds: "debugbuildannotatecache fa fastannotate fastblame", touches: "annotate", why: "keeps annotations of its own"},
	{name: "fastexport", adds: "fastexport"},
	{name: "fetch", adds: "fetch"},
	{name: "fix", adds: "fix"},
	{name: "fsmonitor", names: "set: wdir(", touches: "annotate cat debugfileset debugwalk diff files grep identify locate status summary", why: "warns where watchman is not there"},
	{name: "githelp", adds: "git githelp"},
	{name: "gpg", adds: "sigcheck sign sigs"},
	{name: "graphlog", adds: "glog"},
	{name: "highlight"},
	{name: "histedit", adds: "histedit"},
	{name: "hooklib"},
	{name: "journal", adds: "journal"},
	{name: "largefiles", adds: "debuglfput lfconvert lfpull", names: "pulled(", touches: "archive outgoing verify", why: "adds options; a repository with the requirement is hg's"},
	{name: "lfs", adds: "debuglfsupload debug::lfs-local-cache", names: "lfs_files lfs(", touches: "verify", why: "adds --no-lfs; a repository with the requirement is hg's"},
	{name: "mq", adds: "qapplied qci qclone qcommit qdelete qdiff qfinish qfold qgoto qguard qheader qimport qinit qmv qnew qnext qpop qprev qpush qqueue qrefresh qremove qrename qrestore qrm qsave qselect qseries qtop qunapplied strip",
		names: "mq("},
	{name: "notify"},
	{name: "patchbomb", adds: "email"},
	{name: "purge", adds: "purge clean"},
	{name: "rebase", adds: "rebase", names: "_destrebase _destautoorphanrebase"},
	{name: "record", adds: "qrecord record"},
	{name: "releasenotes", adds: "debugparsereleasenotes releasenotes"},
	{name: "relink", adds: "relink"},
	{name: "schemes", adds: "debugexpandscheme", touches: "identify incoming outgoing paths summary", why: "expands abbreviated addresses"},
	{name: "share", adds: "share unshare"},
	{name: "show", adds: "show", names: "_underway"},
	{name: "sparse", adds: "debugsparse"},
	{name: "split", adds: "split"},
	{name: "strip", adds: "strip"},
	{name: "transplant", adds: "transplant", names: "transplanted", touches: "status summary", touchesWhen: "transplant/journal", why: "tells that it is unfinished"},
	{name: "uncommit", adds: "unamend uncommit"},
}

// extensionCommands are the native commands that extensions add, by the extension
// that has to be enabled.
var extensionCommands = map[string]string{
	"children": "children",
	"qapplied": "mq", "qdiff": "mq", "qguard": "mq", "qheader": "mq", "qnext": "mq", "qprev": "mq", "qqueue": "mq", "qselect": "mq",
	"qseries": "mq", "qtop": "mq", "qunapplied": "mq",
}

// extensionCommand finds a command that an enabled extension adds, by its full name.
func (l *loadedConfig) extensionCommand(name string) (cmdline.Command, bool) {
	owner := extensionCommands[name]
	if owner == "" || slices.Contains(l.aliases, name) || !slices.Contains(l.extensions, knownExtensions[owner]) {
		return cmdline.Command{}, false
	}
	return cmdline.Command{Name: name, Names: []string{name}, InferRepo: name == "children" || name == "qdiff"}, true
}

// knownExtensions finds rows of the table.
var knownExtensions = func() map[string]*extension {
	m := make(map[string]*extension, len(extensions))
	for i := range extensions {
		m[extensions[i].name] = &extensions[i]
	}
	return m
}()

// enabledExtensions are the rows of those that are enabled, sorted by name, or an
// Unsupported when one is not known or not the one that Mercurial brings.
func enabledExtensions(cfg *config.Config) ([]*extension, error) {
	var list []*extension
	for name, path := range cfg.Extensions() {
		x := knownExtensions[strings.TrimPrefix(name, "hgext.")]
		if x == nil || path != "" {
			return nil, hgerr.NewUnsupported("extension %s", name)
		}
		list = append(list, x)
	}
	on := func(name string) bool { return slices.Contains(list, knownExtensions[name]) }
	if on("fsmonitor") && (on("eol") || on("largefiles")) {
		return nil, hgerr.NewUnsupported("extension fsmonitor beside one that disables it")
	}
	slices.SortFunc(list, func(a, b *extension) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// refusesCommand tells why hg must run a command on account of an extension. dot
// is the repository's .hg, "" without one.
func (x *extension) refusesCommand(name, dot string) error {
	listed := func(commands string) bool { return slices.Contains(strings.Fields(commands), name) }
	touched := listed(x.touches) || x.touches == "" && x.touchesWhen != ""
	if touched && x.touchesWhen != "" {
		touched = false
		if dot != "" {
			fi, err := os.Stat(filepath.Join(dot, x.touchesWhen))
			touched = err == nil && (fi.IsDir() || fi.Size() > 0)
		}
	}
	if x.name == "mq" && dot != "" {
		// Without a file of phases, those of the patches are mq's.
		_, err := os.Stat(filepath.Join(dot, "patches"))
		_, noPhases := os.Stat(filepath.Join(dot, "store", "phaseroots"))
		touched = err == nil && noPhases != nil
	}
	if touched {
		return hgerr.NewUnsupported("%s with the extension %s", name, x.name)
	}
	return nil
}

// refusesWord tells why hg must run a command on account of how it was called:
// an abbreviation may stand for a command of the extension, too. c is the zero
// Command when the word stands for none, or for several.
func (x *extension) refusesWord(word string, c cmdline.Command) error {
	if slices.Contains(c.Names, word) || c.Alias && c.Name == word {
		return nil
	}
	for added := range strings.FieldsSeq(x.adds) {
		if strings.HasPrefix(added, word) {
			return hgerr.NewUnsupported("abbreviation %s with the extension %s", word, x.name)
		}
	}
	return nil
}

// refusesText tells why hg must run a command that has a text in its arguments
// or configuration.
func (x *extension) refusesText(text string) error {
	if x.name == "mq" {
		text = strings.ReplaceAll(text, "mq()", "") // without arguments it is an alias here
	}
	for name := range strings.FieldsSeq(x.names) {
		if strings.Contains(text, name) {
			return hgerr.NewUnsupported("%s with the extension %s", strings.TrimSuffix(name, "("), x.name)
		}
	}
	return nil
}

// languageSections hold revsets and templates.
var languageSections = []string{"alias", "defaults", "revsetalias", "templatealias", "templates", "command-templates", "committemplate", "ui"}

// refuseTexts looks for the names that extensions add in the configuration.
func refuseTexts(list []*extension, cfg *config.Config) error {
	for _, x := range list {
		if x.names == "" {
			continue
		}
		for _, section := range languageSections {
			for _, it := range cfg.Items(section) {
				err := x.refusesText(it.Text)
				if err == nil && x.name == "mq" && strings.Contains(it.Text, "mq()") {
					err = hgerr.NewUnsupported("mq() in the configuration")
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// dormant is hg's complaint about a repository that needs an extension which is
// not enabled, or a newer Mercurial.
func (l *loadedConfig) dormant(r *repo.Repo) error {
	if !l.full.Version().AtLeast(7, 0) {
		for _, name := range requires.Since7 {
			if r.Layout.Requirements.Has(name) {
				return hgerr.NewUnsupported("requirement %s, which this Mercurial does not know", name)
			}
		}
	}
	if r.Layout.Requirements.Has(requires.Narrow) {
		// With the extension, which is not in the table, nothing comes this far.
		return hgerr.Abortf(hgerr.UnsupportedRequirement, "repository requires features unknown to this Mercurial: %s", requires.Narrow).
			WithHint("see https://mercurial-scm.org/wiki/MissingRequirement for more information")
	}
	if r.Layout.Requirements.Has(requires.Sparse) && !slices.Contains(l.extensions, knownExtensions["sparse"]) {
		return hgerr.Abortf(hgerr.NotARepository, `repository is using sparse feature but sparse is not enabled; enable the "sparse" extensions to access`)
	}
	return nil
}

// refuseExtensions sends a command line to the real hg that an enabled extension
// may change.
func (d *dispatcher) refuseExtensions(spec *command.Spec) error {
	dot := ""
	if root := d.loaded.key.root; root != "" {
		dot = filepath.Join(root, ".hg")
	}
	for _, x := range d.loaded.extensions {
		if err := x.refusesCommand(spec.Name, dot); err != nil {
			return err
		}
		if x.names == "" {
			continue
		}
		for _, arg := range d.r.Args {
			if err := x.refusesText(arg); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseTyped is refuseExtensions for the questions of the typed interface, which
// are about the same as these commands.
func (d *dispatcher) refuseTyped() error {
	for _, name := range []string{"annotate", "bookmarks", "branches", "cat", "diff", "files", "identify", "log", "resolve", "status", "tags"} {
		for _, x := range d.loaded.extensions {
			if err := x.refusesCommand(name, filepath.Join(d.loaded.key.root, ".hg")); err != nil {
				return err
			}
		}
	}
	return nil
}
