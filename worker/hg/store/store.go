// SPDX-License-Identifier: GPL-2.0-or-later

// Package store is the directory that holds a repository's versioned data: how
// its files are named, what identifies a state of one of them (Stamp), and
// reading the small ones whole.
//
// It does not understand the content of any file but the fncache, never writes,
// and does not keep files open. The names that it hands out are relative to the
// store, already encoded for the file system.
//
// See `hg help internals.requirements` and Mercurial's wiki, "fncacheRepoFormat".
package store

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
)

// Store is one repository's store. It is immutable and safe for concurrent use.
type Store struct {
	path     string
	encoding Encoding
	unlisted bool
}

// Open returns the store at an absolute path. Nothing is read.
func Open(path string, encoding Encoding) *Store {
	return &Store{path: path, encoding: encoding}
}

// OpenUnlisted is Open for a store whose list of files is in a format of its own,
// so that List is Unsupported.
func OpenUnlisted(path string, encoding Encoding) *Store {
	return &Store{path: path, encoding: encoding, unlisted: true}
}

// Path returns the store's directory.
func (s *Store) Path() string { return s.path }

// Encoding returns how file names are encoded.
func (s *Store) Encoding() Encoding { return s.encoding }

// Files names the two files of one revlog. A hashed data name is not the index
// name with another extension, so both are kept.
type Files struct {
	Dir     string // the store, absolute
	Index   string // ".i", relative to Dir
	Data    string // ".d", relative to Dir; there is none for an inline revlog
	Display string // what hg calls the revlog in its messages
}

// IndexPath returns the absolute path of the index.
func (f Files) IndexPath() string { return f.Dir + "/" + f.Index }

// DataPath returns the absolute path of the data file.
func (f Files) DataPath() string { return f.Dir + "/" + f.Data }

// Changelog names the changelog.
func (s *Store) Changelog() Files {
	return Files{Dir: s.path, Index: s.ChangelogPath(), Data: "00changelog.d", Display: "00changelog"}
}

// Manifest names the flat manifest, or that of the root.
func (s *Store) Manifest() Files {
	return Files{Dir: s.path, Index: s.ManifestPath(), Data: "00manifest.d", Display: "00manifest"}
}

// TreeManifest names the manifest of a directory, which ends in a slash, in a
// store with tree manifests.
func (s *Store) TreeManifest(dir string) Files {
	name := "meta/" + dir + "00manifest"
	return Files{Dir: s.path, Index: s.encoding.Name(name + ".i"), Data: s.encoding.Name(name + ".d"), Display: name}
}

// Filelog names the history of the tracked file path.
func (s *Store) Filelog(path string) Files {
	return Files{
		Dir:     s.path,
		Index:   s.FilelogPath(path),
		Data:    s.encoding.Name("data/" + path + ".d"),
		Display: "data/" + path,
	}
}

// ChangelogPath returns the changelog index's name.
func (s *Store) ChangelogPath() string { return "00changelog.i" }

// ManifestPath returns the manifest index's name.
func (s *Store) ManifestPath() string { return "00manifest.i" }

// FilelogPath returns the index name of the tracked file path.
func (s *Store) FilelogPath(path string) string { return s.encoding.Name("data/" + path + ".i") }

// Read reads a small file of the store ("phaseroots", "obsstore"). A missing
// one is (nil, Stamp{}, nil).
func (s *Store) Read(name string) ([]byte, Stamp, error) { return ReadFile(s.path + "/" + name) }

// Stamp stats a file of the store.
func (s *Store) Stamp(name string) (Stamp, error) { return StampOf(s.path + "/" + name) }

// List returns the sorted paths of all files that have a filelog, whatever
// revision they are in. With an fncache it is what that says: a name whose
// filelog was stripped may still be there.
func (s *Store) List() ([]string, error) {
	if s.unlisted {
		return nil, hgerr.NewUnsupported("the list of files of a store of this format")
	}
	var paths []string
	var err error
	if s.encoding >= FnCache {
		var data []byte
		if data, _, err = s.Read("fncache"); err == nil {
			paths, err = ParseFnCache(data)
		}
	} else {
		paths, err = s.walk()
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// ParseFnCache returns the paths of the filelogs in the content of an fncache:
// one name a line ("data/dir/file.i"), through EncodeDir and otherwise plain,
// in no order. Data files and tree manifests are left out.
func ParseFnCache(data []byte) ([]string, error) {
	if len(data) > 0 && data[len(data)-1] != '\n' {
		return nil, hgerr.Abortf(hgerr.Corrupt, "fncache does not ends with a newline").
			WithHint("use 'hg debugrebuildfncache' to rebuild the fncache")
	}
	paths := make([]string, 0, bytes.Count(data, []byte{'\n'}))
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		if len(line) == 0 {
			return nil, hgerr.Abortf(hgerr.Corrupt, "invalid entry in fncache, line %d", n)
		}
		if path, ok := filelogOf(DecodeDir(string(line))); ok {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// filelogOf turns "data/PATH.i" into PATH.
func filelogOf(name string) (string, bool) {
	path, ok := strings.CutPrefix(name, "data/")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(path, ".i")
}

// walk finds the filelogs of a store without an fncache.
func (s *Store) walk() ([]string, error) {
	var paths []string
	err := filepath.WalkDir(s.path+"/data", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}
		if !d.Type().IsRegular() || !strings.HasSuffix(path, ".i") {
			return nil
		}
		name := path[len(s.path)+1:]
		if s.encoding == Encoded {
			plain, ok := decodeName(name)
			if !ok {
				return hgerr.Abortf(hgerr.Corrupt, "undecodable revlog name %s", DecodeDir(name))
			}
			name = plain
		}
		if path, ok := filelogOf(DecodeDir(name)); ok {
			paths = append(paths, path)
		}
		return nil
	})
	return paths, err
}
