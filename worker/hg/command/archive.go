// SPDX-License-Identifier: GPL-2.0-or-later

package command

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"

	"hgbroker/worker/hg/archive"
	"hgbroker/worker/hg/cmdline"
	"hgbroker/worker/hg/filelog"
	"hgbroker/worker/hg/formatter"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

var archiveSpec = Spec{
	Name: "archive",
	Options: func() []Option {
		return join(
			native(cmdline.Flag("", "no-decode"), cmdline.Text("p", "prefix", ""), cmdline.Text("r", "rev", ""), cmdline.Text("t", "type", "")),
			subrepoOptions(), walkOptions())
	},
	Run: runArchive,
}

// metadataName is the file that tells where an archive comes from, and
// metadataTemplate what it says.
const (
	metadataName     = ".hg_archival.txt"
	metadataTemplate = "repo: {root}\nnode: {node}\nbranch: {branch|utf8}\n" +
		`{ifeq(latesttagdistance, 0, latesttag % "tag: {tag}\n", "{latesttag % 'latesttag: {tag}\n'}` +
		`latesttagdistance: {latesttagdistance}\nchangessincelatesttag: {changessincelatesttag}\n")}`
)

// runArchive writes an archive to standard output. Archives in files, and
// directories, are the real hg's: a worker that reads cannot write.
func runArchive(c *Context) (int, error) {
	if len(c.Args) != 1 {
		return 0, unsupported("archive without one destination")
	}
	if c.Args[0] != "-" {
		return 0, unsupported("archive to a file or a directory")
	}
	v, err := c.View()
	if err != nil {
		return 0, err
	}
	rev, err := c.Single(c.Opts.Text("rev"), ".")
	if err != nil {
		return 0, err
	}
	c.nullParent(v, c.Opts.Text("rev"), rev)
	switch rev {
	case node.WdirRev:
		return 0, unsupported("archive of the working directory")
	case node.NullRev:
		return 0, inputError("no working directory: please specify a revision")
	}
	kind := c.Opts.Text("type")
	if kind == "" || kind == "files" {
		return 0, inputError("cannot archive plain files to stdout")
	}
	prefix, err := c.archivePrefix(v, rev)
	if err != nil {
		return 0, err
	}
	switch {
	case kind == "tbz2", kind == "txz":
		return 0, unsupported("archive --type %s", kind)
	case !slices.Contains(archive.Kinds, kind):
		return 0, hgerr.Abortf(hgerr.Other, "unknown archive type '%s'", kind)
	case strings.HasSuffix(kind, "zip") && c.Appends:
		return 0, unsupported("zip archive at the end of a file")
	case !c.Opts.On("no-decode") && len(c.Config.Items("decode")) > 0:
		return 0, unsupported("[decode] filters")
	}
	a := &archiver{c: c, v: v, rev: rev, kind: kind, prefix: prefix}
	if err := a.collect(); err != nil {
		return 0, err
	}
	return 0, a.write()
}

// archivePrefix is the directory that everything stands in.
func (c *Context) archivePrefix(v *repo.View, rev node.Rev) (string, error) {
	format := c.Opts.Text("prefix")
	if format == "" {
		format = path.Base(v.Layout.Root) + "-%h"
	}
	prefix, err := c.fileName(v, rev, format)
	if err != nil {
		return "", err
	}
	if prefix == "" {
		return "", unsupported("archive with a prefix that comes to nothing")
	}
	absolute := strings.HasPrefix(prefix, "/")
	prefix = strings.TrimPrefix(path.Clean(prefix)+"/", "./")
	if absolute || strings.HasPrefix(prefix, "../") || strings.Contains(prefix, "/../") {
		return "", hgerr.Abortf(hgerr.Other, "archive prefix contains illegal components")
	}
	return prefix, nil
}

// fileName fills in a format of a file's name (`hg help export`): %H the node,
// %h the first 12 digits of it, %R and %r the revision, %b the repository's
// name, %m the first line of the description, without what is not a letter.
func (c *Context) fileName(v *repo.View, rev node.Rev, format string) (string, error) {
	if strings.ContainsAny(format, `{\`) {
		return "", unsupported("a template in a file's name")
	}
	var b strings.Builder
	for {
		plain, rest, ok := strings.Cut(format, "%")
		b.WriteString(plain)
		if !ok {
			return b.String(), nil
		}
		if rest == "" {
			return "", hgerr.Abortf(hgerr.Other, "incomplete format spec in output filename")
		}
		switch rest[0] {
		case 'H':
			b.WriteString(v.Node(rev).Hex())
		case 'h':
			b.WriteString(v.Node(rev).Short())
		case 'R', 'r':
			b.WriteString(strconv.Itoa(int(rev)))
		case 'b':
			b.WriteString(path.Base(v.Layout.Root))
		case '%':
			b.WriteByte('%')
		case 'm':
			cs, err := v.Changeset(rev)
			if err != nil {
				return "", err
			}
			line, _, _ := strings.Cut(v.Encoding.Local(string(cs.Description())), "\n")
			b.WriteString(wordsOnly(line))
		default:
			return "", hgerr.Abortf(hgerr.Other, "invalid format spec '%%%c' in output filename", rest[0])
		}
		format = rest[1:]
	}
}

func wordsOnly(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			b[i] = '_'
		}
	}
	return string(b)
}

// archiver is one archive.
type archiver struct {
	c      *Context
	v      *repo.View
	rev    node.Rev
	kind   string
	prefix string
	mtime  float64
	meta   []byte // nil without
	files  []manifest.Entry
}

// collect finds out what belongs into the archive, and that all of it can be
// read and written, before anything goes out.
func (a *archiver) collect() error {
	c, v := a.c, a.v
	mt, err := c.matcherIn(v, nil, c.Opts.List("include"), c.Opts.List("exclude"), a.rev)
	if err != nil {
		return err
	}
	m, err := v.ManifestOf(a.rev)
	if err != nil {
		return err
	}
	if c.Opts.On("subrepos") && m.Has(".hgsubstate") {
		return unsupported("archive of subrepositories")
	}
	cs, err := v.Changeset(a.rev)
	if err != nil {
		return err
	}
	date, err := cs.Date()
	if err != nil {
		return err
	}
	a.mtime = date.Time
	names := []string{a.prefix}
	var size int64
	err = c.manifestFiles(v, a.rev, m, mt, func(e manifest.Entry) error {
		n, err := a.storedSize(e)
		if err != nil {
			return err
		}
		size += n
		e.Path = bytes.Clone(e.Path)
		a.files = append(a.files, e)
		names = append(names, a.prefix+string(e.Path))
		return c.Err()
	})
	if err != nil {
		return err
	}
	if len(a.files) == 0 && c.At72() {
		return errNothingMatches()
	}
	if !c.utf8Names() && slices.ContainsFunc(a.files, func(e manifest.Entry) bool { return e.Flag == manifest.Symlink }) {
		return unsupported("archive of links where the locale is not of UTF-8")
	}
	if err := archive.Check(a.kind, a.mtime, names, size, c.utf8Names()); err != nil {
		return err
	}
	wanted, err := c.Config.BoolOr("ui", "archivemeta", true)
	if err == nil && wanted && mt.Match(metadataName) {
		a.meta, err = a.metadata()
	}
	return err
}

func errNothingMatches() error {
	return hgerr.Abortf(hgerr.Other, "no files match the archive pattern")
}

// storedSize is the size of a file in bytes, with what stands before its
// content. A revision that is not stored plainly is refused.
func (a *archiver) storedSize(e manifest.Entry) (int64, error) {
	f, err := filelog.Open(a.v.Store(), string(e.Path))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	flrev, err := f.FindRev(e.Node)
	if err != nil {
		return 0, err
	}
	if f.Flags(flrev) != 0 {
		return 0, unsupported("archive of %s, which is censored or stored elsewhere", e.Path)
	}
	return max(0, f.RawSize(flrev)), nil
}

// utf8Names tells whether Python takes file names for UTF-8.
func (c *Context) utf8Names() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale, _ := c.Getenv(name); locale != "" {
			plain := strings.ReplaceAll(strings.ToLower(locale), "-", "")
			return locale == "C" || locale == "POSIX" || strings.Contains(plain, "utf8")
		}
	}
	return true
}

// metadata tells where the archive comes from.
func (a *archiver) metadata() ([]byte, error) {
	text, set := a.c.Config.Get("experimental", "archivemetatemplate")
	if !set {
		text = metadataTemplate
	}
	if !strings.Contains(text, "{") {
		return nil, unsupported("experimental.archivemetatemplate that is no template")
	}
	cfg, err := a.c.formatterConfig()
	if err != nil {
		return nil, err
	}
	o := &output{c: a.c, buf: new(bytes.Buffer), repo: a.c.templates(a.v)}
	if o.Formatter, err = formatter.New(cfg, formatter.Spec{Text: text}, "archive", o.repo, o.buf); err != nil {
		return nil, err
	}
	o.StartItem()
	if err := o.context(a.rev); err != nil {
		return nil, err
	}
	root := node.Null
	for rev := range node.Rev(a.v.Len()) {
		if !a.v.Hidden(rev) {
			root = a.v.Node(rev)
			break
		}
	}
	o.Data("root", template.Bytes(root.Hex()))
	if err := o.End(); err != nil {
		return nil, err
	}
	return o.buf.Bytes(), nil
}

// write writes the archive.
func (a *archiver) write() error {
	w := archive.New(a.kind, a.c.Stdout, a.mtime, a.c.Seekable)
	if a.meta != nil {
		if err := w.Add(archive.Member{Name: a.prefix + metadataName, Data: a.meta}); err != nil {
			return err
		}
	}
	if len(a.files) == 0 {
		// hg finds out only now, and has begun.
		if err := w.Abandon(); err != nil {
			return err
		}
		return errNothingMatches()
	}
	for _, e := range a.files {
		data, err := fileData(a.v, e, a.rev)
		if err != nil {
			return err
		}
		m := archive.Member{Name: a.prefix + string(e.Path), Exec: e.Flag == manifest.Executable, Link: e.Flag == manifest.Symlink, Data: data}
		if err := w.Add(m); err != nil {
			return err
		}
		if err := a.c.Err(); err != nil {
			return err
		}
	}
	return w.Close()
}
