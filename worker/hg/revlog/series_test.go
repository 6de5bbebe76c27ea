// SPDX-License-Identifier: GPL-2.0-or-later

package revlog_test

import (
	"bytes"
	"testing"

	"hgbroker/worker/hg/hgtest"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// TestSeries reads changelogs and manifests by a Series in several orders, in
// which bases come before their deltas or behind.
func TestSeries(t *testing.T) {
	texts := 0
	for _, repo := range hgtest.Repos(t)[:20] {
		l, err := requires.Resolve(hgtest.Extract(t, repo.Name))
		if err != nil {
			continue // of a kind that is not read
		}
		for _, files := range []store.Files{l.Store().Changelog(), l.Store().Manifest()} {
			r, err := revlog.Open(files)
			if err != nil {
				continue
			}
			for _, step := range []int{1, 4, -1} {
				texts += compareSeries(t, r, order(r.Len(), step))
			}
			r.Close()
		}
	}
	if texts < 1000 {
		t.Errorf("only %d texts", texts)
	}
}

// order is the numbers below n: every step-th, then those behind them, and so
// on; backwards if step is negative.
func order(n, step int) (revs []node.Rev) {
	if step < 0 {
		for rev := n - 1; rev >= 0; rev-- {
			revs = append(revs, node.Rev(rev))
		}
		return revs
	}
	for start := range step {
		for rev := start; rev < n; rev += step {
			revs = append(revs, node.Rev(rev))
		}
	}
	return revs
}

func compareSeries(t *testing.T, r *revlog.Revlog, revs []node.Rev) (texts int) {
	s := r.Series(revs)
	defer s.Close()
	for i, rev := range revs {
		if i == 150 {
			break // Close ends what is under way
		}
		got, err := s.Next()
		want, werr := r.Text(rev)
		if (err == nil) != (werr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%s revision %d: %d bytes, %v; want %d, %v", r.Display(), rev, len(got), err, len(want), werr)
		}
		texts++
	}
	return texts
}
