// SPDX-License-Identifier: GPL-2.0-or-later

package formatter_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"hgbroker/worker/hg/config"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/formatter"
	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/repo"
	"hgbroker/worker/hg/template"
)

// bare hides from a Displayer whatever a Changectx has beside its methods.
type bare struct{ template.Changectx }

// What is printed in one look must be what is printed column by column, which the
// other tests compare with hg, in encodings that have some characters, all or none.
func TestShortLayouts(t *testing.T) {
	shown := 0
	for _, recorded := range hgtest.Repos(t) {
		t.Run(recorded.Name, func(t *testing.T) {
			r, err := repo.Open(hgtest.Extract(t, recorded.Name), image.Private{})
			if err != nil {
				t.Skip(err)
			}
			defer r.Close()
			for _, name := range []string{"utf-8", "latin-1", "ascii"} {
				enc, err := encoding.New(encoding.Settings{Name: name})
				if err != nil {
					t.Fatal(err)
				}
				for _, ref := range []string{"", "json"} {
					for _, hidden := range []bool{false, true} {
						shown += compareLayouts(t, r, enc, formatter.Spec{Ref: ref}, hidden)
					}
				}
			}
		})
	}
	if shown < 1000 {
		t.Errorf("only %d changesets were shown", shown)
	}
}

// compareLayouts shows all changesets in both ways, twice, and counts them.
func compareLayouts(t *testing.T, r *repo.Repo, enc *encoding.Encoding, spec formatter.Spec, hidden bool) (shown int) {
	none := func(string) (string, bool) { return "", false }
	cfg, err := config.Load(config.Sources{Version: config.Version{Major: 6, Minor: 3}, Getenv: none, Cwd: r.Layout.Root, UID: uint32(os.Getuid())})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Begin(context.Background(), time.Now); err != nil {
		t.Skip(err)
	}
	v, err := r.NewView(cfg, enc, r.Layout.Root, none, repo.Visibility{Hidden: hidden}, func(string) {})
	if err != nil {
		t.Skip(err) // damaged, or not for us
	}
	templates := &repo.Templates{View: v}
	options := &formatter.Config{Options: template.Options{Encoding: enc, TermWidth: 80, Features: template.FeatureObsolete}}
	short, err := formatter.NewDisplayer(options, spec, templates, formatter.DisplayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	long, err := formatter.NewDisplayer(options, spec, templates, formatter.DisplayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got, want bytes.Buffer
	var ctx template.Changectx
	show := func(rev node.Rev) {
		got.Reset()
		want.Reset()
		ctx = templates.Again(ctx, rev)
		gotErr := short.Show(&got, ctx, formatter.Props{})
		wantErr := long.Show(&want, bare{templates.Refer(rev)}, formatter.Props{})
		if (gotErr == nil) != (wantErr == nil) || got.String() != want.String() {
			t.Errorf("%s, changeset %d:\n%s(%v)\nnot\n%s(%v)", enc.Name(), rev, &got, gotErr, &want, wantErr)
		}
		shown++
	}
	for range 2 {
		for rev := node.NullRev; int(rev) < v.Len(); rev++ {
			if !v.Hidden(rev) {
				show(rev)
			}
		}
		show(node.WdirRev)
		got.Reset()
		want.Reset()
		if err, other := short.Close(&got), long.Close(&want); err != nil || other != nil || got.String() != want.String() {
			t.Errorf("at the end: %q (%v), not %q (%v)", &got, err, &want, other)
		}
	}
	return shown
}
