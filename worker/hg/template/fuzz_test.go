// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"testing"
	"time"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/phases"
)

// lone is a repository of one changeset.
type lone struct{}

func (lone) Root() string { return "/repo" }
func (lone) Len() int     { return 1 }
func (lone) Changectx(rev node.Rev) (Changectx, error) {
	return loneCtx{rev}, nil
}
func (lone) Lookup(id node.ID) (node.Rev, bool)          { return 0, id == loneID }
func (lone) Resolve(string) (node.ID, bool)              { return loneID, true }
func (lone) ShortestPrefix(node.ID) (int, bool)          { return 1, true }
func (lone) Symbol(string) (node.Rev, bool)              { return 0, true }
func (lone) ActiveBookmark() Text                        { return PlainText("b") }
func (lone) WorkingParents() (p1, p2 node.ID)            { return loneID, node.Null }
func (lone) MergeNodes() (local, other node.ID, ok bool) { return }
func (lone) GlobalTag(string) bool                       { return true }
func (lone) RelPath(path string) string                  { return path }
func (lone) Revset(string) ([]node.Rev, error)           { return []node.Rev{0, -1}, nil }
func (lone) Copies(Changectx) ([]Copy, error)            { return []Copy{{"b", "a"}}, nil }
func (lone) SuccessorSets(Changectx) ([]SuccessorSet, error) {
	m := Marker{Predecessor: loneID, Metadata: []Extra{{"user", "u"}, {"operation", "amend"}}, Unix: 1.5}
	return []SuccessorSet{{Successors: []node.ID{loneID}, Markers: []Marker{m}}, {}}, nil
}
func (lone) Predecessors(Changectx) ([]node.ID, error)       { return []node.ID{loneID}, nil }
func (lone) Username() Text                                  { return PlainText("u") }
func (lone) FileSize(Changectx, string) (int64, bool, error) { return 5, true, nil }
func (lone) FileStatus(Changectx, string) (string, error)    { return "M", nil }

var loneID = node.ID{1, 2, 3}

type loneCtx struct{ rev node.Rev }

func (c loneCtx) Rev() node.Rev { return c.rev }
func (c loneCtx) Node() node.ID {
	if c.rev < 0 {
		return node.Null
	}
	return loneID
}
func (loneCtx) Parents() (p1, p2 node.Rev)     { return -1, -1 }
func (loneCtx) Children() []node.Rev           { return nil }
func (loneCtx) User() Text                     { return Text{Local: "?l <a@b>", UTF8: "é <a@b>"} }
func (loneCtx) Desc() Text                     { return PlainText(" one\n\n- two three\xff ") }
func (loneCtx) Date() (unix int64, offset int) { return 1700000000, -3600 }
func (loneCtx) Branch() Text                   { return PlainText("br") }
func (loneCtx) ClosesBranch() bool             { return true }
func (loneCtx) Extras() []Extra                { return []Extra{{"branch", "br"}, {"close", "1"}} }
func (loneCtx) ManifestNode() node.ID          { return loneID }
func (loneCtx) ManifestRev() node.Rev          { return 0 }
func (loneCtx) Phase() Phase                   { return phases.Draft }
func (loneCtx) Tags() []Text                   { return []Text{PlainText("t1"), PlainText("tip")} }
func (loneCtx) Bookmarks() []Text              { return []Text{PlainText("b")} }
func (loneCtx) Files() []string                { return []string{"a", "d/b"} }
func (loneCtx) FileStatus() (modified, added, removed []string) {
	return []string{"a"}, []string{"d/b"}, nil
}
func (loneCtx) Obsolete() bool          { return true }
func (loneCtx) Instabilities() []string { return []string{"orphan"} }
func (loneCtx) Err() error              { return nil }

func fuzzEngine() *Engine {
	e := New(Options{
		Features: FeatureRevset | FeatureCopies | FeatureObsolete | FeatureFiles | FeatureEnviron,
		Now:      time.Unix(1700000500, 0), Version: Hg72, Verbose: true, TermWidth: 80,
		Environ: []Extra{{"A", "b"}},
		Config:  func(_, name string) (string, bool, error) { return "1", name == "set", nil },
	})
	e.Define("frag", "{rev}{frag}")
	e.Define("a", "{b}")
	e.Define("b", "{a % b}{files % a}")
	e.Define("tag", "<{tag}>")
	e.Define("start_tags", "{tags}")
	e.Alias("al(x, y)", "{x}{y}")
	e.Alias("al2(x)", "al(x, al(x, x))")
	e.Alias("loop", "loop")
	return e
}

// FuzzTemplate asks that no template whatever makes the package fall over or
// run away, and that an error leaves nothing behind.
func FuzzTemplate(f *testing.F) {
	seeds := []string{
		"{node|short} {desc|firstline}\n", `{if(files, "{join(files % '{file}', ', ')}\n")}`, `{"a\"{rev}\""}{r'\'}`, `{\"{rev}\"}`, `{sub(r'(\w+)', r'<\1>', desc)}`,
		`{search('(?P<x>a)', desc) % '{x}{1}'}`, `{fill(desc, 3, ' ', '  ')}{pad(rev, 9, left=True)}`, `{dict(a=1, rev)|json}{succsandmarkers|cbor}`, `{a}{b}{frag}{tags}`, `{al2(rev)|al2}{loop}`,
		`{1 + 2 * -rev / 3 % "x"}`, `{revset("a(%d)", rev) % "{revision}"}{min(files)}{max(tags % "{tag}")}`, `{namespaces % "{names % '{name}'}"}`, `{obsfate}{whyunstable}{latesttag % "{changes}"}`, `{config("a", "set")}{configint(a, set)}`,
		`{date(date, "%Y")}{localdate(date, "+0200")|isodate}{"now"|age}`, `{word(1, desc)}{strip(desc, "a")}{shortest(node, 3)}`, "{(((((", "\\x4", `{p1.p1.p1.rev}{manifest.node}`, `{status}{path}{size}{filter(files, path)}`,
	}
	for _, k := range Keywords() {
		seeds = append(seeds, "{"+k.Name+"}{"+k.Name+"|json}{"+k.Name+" % '{rev}'}")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		e := fuzzEngine()
		tmpl, err := e.Literal(text)
		if err != nil {
			if !hgerr.IsUnsupported(err) {
				t.Fatalf("compile %q: %v", text, err)
			}
			return
		}
		var w bytes.Buffer
		w.WriteString("before")
		err = tmpl.Render(&w, Resources{Repo: lone{}, Ctx: loneCtx{0}, Index: 0, Item: []Binding{
			{"path", Bytes("a")}, {"n", None()}, {"l", List("x", ",", []Value{Int(1), Bytes("y")})},
			{"m", Mappings("", "", []Item{{Fields: []Binding{{"k", Int(1)}}}})},
		}})
		if err != nil && w.String() != "before" {
			t.Fatalf("%q: error %v after output %q", text, err, w.String())
		}
		if _, err := tmpl.Symbols(); err != nil && tmpl.Err() == nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
