// SPDX-License-Identifier: GPL-2.0-or-later

package subrepo

import (
	"testing"

	"hgbroker/worker/hg/hgerr"
)

// FuzzRead feeds both files with anything: what is accepted comes from .hgsub,
// in order.
func FuzzRead(f *testing.F) {
	f.Add([]byte("vendor/lib = ../lib\ntools = [git]https://example.org/tools\n"), []byte("8e2f5a2c9e0c1f5f3b7bb1f0f3bd6a2e7d1d6f52 vendor/lib\n"))
	f.Add([]byte("# c\na=b\n\n = x\n%include other\n"), []byte("nothing\r\n\r x y z\n"))
	f.Add([]byte("[subpaths]\na = b\n"), []byte(""))
	f.Add([]byte("a = [svn\n"), []byte("x a"))
	f.Fuzz(func(t *testing.T, spec, state []byte) {
		list, err := Read(func(path string) ([]byte, bool, error) {
			switch path {
			case SpecFile:
				return spec, true, nil
			case StateFile:
				return state, true, nil
			}
			return nil, false, nil
		}, Options{})
		if err != nil {
			return
		}
		if len(list) > len(spec) {
			t.Errorf("%q names %d subrepositories", spec, len(list))
		}
		for i, s := range list {
			if i > 0 && list[i-1].Path >= s.Path {
				t.Errorf("%q before %q", list[i-1].Path, s.Path)
			}
			if found, ok := Find(list, s.Path); !ok || found != s {
				t.Errorf("%q is not found", s.Path)
			}
			if !Holds(list, s.Path) || !Holds(list, s.Path+"/x") {
				t.Errorf("%q does not hold itself", s.Path)
			}
		}
	})
}

// TestRead has what hg accepts and refuses in the two files.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		spec, state string
		mapped      bool
		want        string // the first path with what belongs to it, or an error
	}{
		{"b = ../b\na = [git] x y \n", "12 b\n  34 a \n56 a\n", false, "a|x y|56|git"},
		{"a = b\n", "nothing\n", false, "invalid subrepository revision specifier in '.hgsubstate' line 1"},
		{"a = [git b\n", "", false, "missing ] in subrepository source"},
		{"%include lost\n", "", false, "subrepo spec file 'lost' not found"},
		{"a = b\n", "", true, "not native: [subpaths]"},
		{"a = b\n[subpaths]\nx = y\n", "", false, "not native: [subpaths]"},
	} {
		list, err := Read(func(path string) ([]byte, bool, error) {
			text, ok := map[string]string{SpecFile: c.spec, StateFile: c.state}[path]
			return []byte(text), ok, nil
		}, Options{Mapped: c.mapped})
		got := ""
		if err != nil {
			got = err.Error()
		} else if len(list) > 0 {
			got = list[0].Path + "|" + list[0].Source + "|" + list[0].Rev + "|" + list[0].Kind
		}
		if got != c.want {
			t.Errorf("%q, %q: %s, want %s (unsupported: %v)", c.spec, c.state, got, c.want, hgerr.IsUnsupported(err))
		}
	}
}
