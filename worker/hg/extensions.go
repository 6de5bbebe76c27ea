// SPDX-License-Identifier: GPL-2.0-or-later

package hg

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

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
	// sets are the sections of the configuration that it writes into.
	sets string
	// chatters says that it prints more under --debug.
	chatters bool
	// verbosely are those of touches that it changes only where they tell the state.
	verbosely string
	// why says in the README what touches is about.
	why string
	// outside is set for one that does not come with Mercurial.
	outside *outside
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
	{name: "evolve",
		adds: "amend debug::evo-ext-stable-range debug::evo-ext-stable-range-cache debug::evo-ext-stable-sort debug::evo-ext-stable-sort-cache " +
			"debugdepth debugfirstmergecache debugobsconvert debugobshashrange debugobsrelsethashtree debugobsstorestat debugstablerange " +
			"debugstablerangecache debugstablesort debugstablesortcache evolve fix-up fixup fold gdown grab gup metaedit next obsdiff obslog obsolete " +
			"odiff olog pdiff pick previous prune pstatus refresh rewind solve split squash stabilize touch uncommit undo",
		names: "config( configbool( configint( obsorigin suspended( troubled( troubles unstable( precursors! successors!",
		sets:  "alias experimental server", chatters: true,
		touches: "summary status", touchesWhen: "evolvestate pickstate fixup-state", verbosely: "status", why: "tells that it is unfinished",
		outside: &outside{file: "evolve/metadata.py", old: []string{"10.5."}, new: []string{"11.1.", "12.0."}}},
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
		names: "mq(", why: "but for `mq()` without arguments"},
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
	{name: "topic",
		adds:  "debug-default-topic-namespace debug-format-fqbn debug-parse-fqbn debug-topic-namespace debug-topic-namespaces debugcb debugconvertbookmark stack topics",
		names: "#s #t _destmerge( _destupdate( config( configbool( configint( fqbn named( ngtip( stack( topic_namespace topicidx topicnamespace(",
		sets:  "experimental rebase", touches: "incoming outgoing", why: "knows topics",
		outside: &outside{file: "topic/__init__.py", old: []string{"0.24."}, new: []string{"1.1.", "2.0."}}},
	{name: "transplant", adds: "transplant", names: "transplanted", touches: "status summary", touchesWhen: "transplant/journal", why: "tells that it is unfinished"},
	{name: "uncommit", adds: "unamend uncommit"},
}

// commandOwner is the extension that has to be enabled for a native command that one
// adds; empty for any other.
func commandOwner(name string) string {
	switch name {
	case "children":
		return "children"
	case "qapplied", "qdiff", "qguard", "qheader", "qnext", "qprev", "qqueue", "qselect", "qseries", "qtop", "qunapplied":
		return "mq"
	}
	return ""
}

// extensionCommand finds a command that an enabled extension adds, by its full name.
func (l *loadedConfig) extensionCommand(name string) (cmdline.Command, bool) {
	owner := commandOwner(name)
	if owner == "" || slices.Contains(l.aliases, name) || !slices.Contains(l.extensions, knownExtensions()[owner]) {
		return cmdline.Command{}, false
	}
	return cmdline.Command{Name: name, Names: []string{name}, InferRepo: name == "children" || name == "qdiff"}, true
}

// abbreviated finds the command that an enabled extension adds and that a word
// alone stands for, which no other command begins with.
func (l *loadedConfig) abbreviated(word string) (cmdline.Command, bool) {
	var found []string
	for _, x := range l.extensions {
		for added := range strings.FieldsSeq(x.adds) {
			if strings.HasPrefix(added, word) && !slices.Contains(found, added) {
				found = append(found, added)
			}
		}
	}
	if len(found) != 1 || strings.HasPrefix(found[0], "debug") {
		return cmdline.Command{}, false
	}
	return l.extensionCommand(found[0])
}

// knownExtensions finds rows of the table.
var knownExtensions = sync.OnceValue(func() map[string]*extension {
	m := make(map[string]*extension, len(extensions))
	for i := range extensions {
		m[extensions[i].name] = &extensions[i]
	}
	return m
})

// enableExtensions finds the rows of those that are enabled, sorted by name, or an
// Unsupported when one is not known or not the one that is meant.
func (l *loadedConfig) enableExtensions() error {
	cfg := l.full
	for name, path := range cfg.Extensions() {
		short := strings.TrimPrefix(name, "hgext3rd.")
		x := knownExtensions()[short]
		if x == nil || path != "" || x.outside == nil && short != name || slices.Contains(l.extensions, x) {
			return hgerr.NewUnsupported("extension %s", name)
		}
		if x.outside != nil {
			if _, wrong := cfg.Get("extensions", "hgext."+short); wrong {
				return hgerr.NewUnsupported("extension hgext.%s, which there is not", short)
			}
			release, file, err := x.outside.find(name, cfg, l.key.env)
			if err != nil {
				return err
			}
			if l.releases == nil {
				l.releases = map[string]string{}
			}
			l.releases[short] = release
			l.files = append(l.files, file)
		}
		l.extensions = append(l.extensions, x)
	}
	on := func(name string) bool { return slices.Contains(l.extensions, knownExtensions()[name]) }
	if on("fsmonitor") && (on("eol") || on("largefiles")) {
		return hgerr.NewUnsupported("extension fsmonitor beside one that disables it")
	}
	slices.SortFunc(l.extensions, func(a, b *extension) int { return strings.Compare(a.name, b.name) })
	return nil
}

// refusesCommand tells why hg must run a command on account of an extension. dot
// is the repository's .hg, "" without one.
func (x *extension) refusesCommand(name, dot string, verbose bool) error {
	listed := func(commands string) bool { return slices.Contains(strings.Fields(commands), name) }
	touched := listed(x.touches) || x.touches == "" && x.touchesWhen != ""
	if !verbose && slices.Contains(strings.Fields(x.verbosely), name) {
		return nil
	}
	if touched && x.touchesWhen != "" {
		touched = false
		for file := range strings.FieldsSeq(x.touchesWhen) {
			if dot != "" && !touched {
				fi, err := os.Stat(filepath.Join(dot, file))
				touched = err == nil && (fi.IsDir() || fi.Size() > 0 || x.outside != nil)
			}
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

// refusesLine tells why hg must run a command on account of its options and
// arguments.
func (x *extension) refusesLine(name string, line cmdline.Line, debug bool) error {
	if x.chatters && debug {
		return hgerr.NewUnsupported("--debug with the extension %s", x.name)
	}
	if name == "config" && x.sets != "" {
		// What is asked for section by section may be none that it writes into.
		asked := len(line.Args) == 0
		for _, arg := range line.Args {
			section, _, _ := strings.Cut(arg, ".")
			asked = asked || slices.Contains(strings.Fields(x.sets), section)
		}
		if asked {
			return hgerr.NewUnsupported("config with the extension %s, which sets some", x.name)
		}
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
		if says(text, name) {
			return hgerr.NewUnsupported("%s with the extension %s", strings.TrimRight(name, "(!"), x.name)
		}
	}
	return nil
}

// says tells whether a text has a name in it as a word of its own. A name that
// ends with a parenthesis is that of a function, of which blanks may keep it, one
// with an exclamation mark that of anything but a function; one that begins with "#"
// is how the name of a relation begins.
func says(text, name string) bool {
	word, function := strings.CutSuffix(name, "(")
	word, keyword := strings.CutSuffix(word, "!")
	relation := strings.HasPrefix(word, "#")
	word = strings.TrimPrefix(word, "#")
	for rest := text; ; {
		i := strings.Index(rest, word)
		if i < 0 {
			return false
		}
		before := text[:len(text)-len(rest)+i]
		rest = rest[i+len(word):]
		if relation {
			if strings.HasSuffix(strings.TrimRight(before, " \t\r\n"), "#") {
				return true
			}
			continue
		}
		if before != "" && wordByte(before[len(before)-1]) || rest != "" && wordByte(rest[0]) {
			continue
		}
		if called := strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), "("); !function && !keyword || function == called {
			return true
		}
	}
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// aliasSections hold what is there under a name, and does nothing to who does not
// say that name. [alias] and [defaults] are looked at where they are used.
var aliasSections = []string{"revsetalias", "templatealias", "templates"}

// languageSections hold templates and revsets that commands use unasked.
var languageSections = []string{"command-templates", "committemplate", "revsets", "ui"}

// refuseTexts looks for the names that extensions add in the configuration, and
// returns the names of aliases that have one of them in what they stand for: with
// them on its command line, a command is the real hg's.
func refuseTexts(list []*extension, cfg *config.Config) (aliases []string, err error) {
	refused := func(text string) error {
		for _, name := range aliases {
			if says(text, name) {
				return hgerr.NewUnsupported("the alias %s, which says what an extension adds", name)
			}
		}
		for _, x := range list {
			err := x.refusesText(text)
			if err == nil && x.name == "mq" && strings.Contains(text, "mq()") {
				err = hgerr.NewUnsupported("mq() in the configuration")
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if !slices.ContainsFunc(list, func(x *extension) bool { return x.names != "" }) {
		return nil, nil
	}
	for grown := true; grown; {
		grown = false
		for _, section := range aliasSections {
			for _, it := range cfg.Items(section) {
				name, _, _ := strings.Cut(it.Name, "(")
				if name = strings.TrimSpace(name); name != "" && !slices.Contains(aliases, name) && refused(it.Text) != nil {
					aliases = append(aliases, name)
					grown = true
				}
			}
		}
	}
	for _, section := range languageSections {
		for _, it := range cfg.Items(section) {
			if section == "ui" && !strings.Contains(it.Name, "template") && it.Name != "style" {
				continue
			}
			if err := refused(it.Text); err != nil {
				return nil, err
			}
		}
	}
	return aliases, nil
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
	var unknown []string
	for _, name := range requires.ByExtension {
		if !r.Layout.Requirements.Has(name) {
			continue
		}
		// Of these two hg enables the extension by itself, unless that is said to
		// be otherwise. With that of narrow, which is not in the table, nothing
		// comes this far.
		on := slices.ContainsFunc(l.extensions, func(x *extension) bool { return x.name == name })
		if on || name != requires.Narrow && !l.full.IsSet("extensions", name) {
			return hgerr.NewUnsupported("requirement %s with its extension", name)
		}
		unknown = append(unknown, name)
	}
	if len(unknown) > 0 {
		return hgerr.Abortf(hgerr.UnsupportedRequirement, "repository requires features unknown to this Mercurial: %s", strings.Join(unknown, " ")).
			WithHint("see https://mercurial-scm.org/wiki/MissingRequirement for more information")
	}
	if r.Layout.Requirements.Has(requires.Sparse) && !slices.Contains(l.extensions, knownExtensions()["sparse"]) {
		return hgerr.Abortf(hgerr.NotARepository, `repository is using sparse feature but sparse is not enabled; enable the "sparse" extensions to access`)
	}
	return nil
}

// refuseText refuses texts with what only the extensions know; nil when they know
// nothing of that kind.
func (l *loadedConfig) refuseText() func(text string) error {
	if !slices.ContainsFunc(l.extensions, func(x *extension) bool { return x.names != "" }) {
		return nil
	}
	return func(text string) error {
		for _, x := range l.extensions {
			if err := x.refusesText(text); err != nil {
				return err
			}
		}
		return l.refusesAlias(text)
	}
}

// refusesAlias refuses a text that says one of refusedAliases.
func (l *loadedConfig) refusesAlias(text string) error {
	for _, name := range l.refusedAliases {
		if says(text, name) {
			return hgerr.NewUnsupported("the alias %s, which says what an extension adds", name)
		}
	}
	return nil
}

// refuseExtensions sends a command line to the real hg that an enabled extension
// may change. words are the command's arguments with what [alias] and [defaults]
// put before them.
func (d *dispatcher) refuseExtensions(spec *command.Spec, line cmdline.Line, words []string) error {
	dot := ""
	if root := d.loaded.key.root; root != "" {
		dot = filepath.Join(root, ".hg")
	}
	verbose, err := d.cfg.Bool("commands", "status.verbose")
	verbose = verbose || err != nil || d.cfg.Verbose || line.Global.On("verbose") || line.Global.On("debug")
	for _, x := range d.loaded.extensions {
		if err := x.refusesCommand(spec.Name, dot, verbose); err != nil {
			return err
		}
		if err := x.refusesLine(spec.Name, line, d.cfg.Debug || line.Global.On("debug")); err != nil {
			return err
		}
		if x.names == "" {
			continue
		}
		for _, list := range [][]string{words, d.r.Args} {
			for _, arg := range list {
				if err := x.refusesText(arg); err != nil {
					return err
				}
			}
		}
	}
	for _, arg := range words {
		if err := d.loaded.refusesAlias(arg); err != nil {
			return err
		}
	}
	return nil
}

// refuseTyped is refuseExtensions for the questions of the typed interface, which
// are about the same as these commands.
func (d *dispatcher) refuseTyped() error {
	for _, name := range []string{"annotate", "bookmarks", "branches", "cat", "diff", "files", "identify", "log", "resolve", "status", "tags"} {
		for _, x := range d.loaded.extensions {
			if err := x.refusesCommand(name, filepath.Join(d.loaded.key.root, ".hg"), false); err != nil {
				return err
			}
		}
	}
	return nil
}
