// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// large is a file that several processors read, and its content.
func large(t testing.TB, size int) (path string, content []byte) {
	t.Helper()
	content = make([]byte, size)
	rng := rand.NewChaCha8([32]byte{})
	rng.Read(content)
	path = filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func TestReadLargeFile(t *testing.T) {
	for _, size := range []int{readApart, 2*readApart - 1, 2 * readApart, 3*readApart + 17} {
		path, content := large(t, size)
		data, stamp, err := ReadFile(path)
		if err != nil || !bytes.Equal(data, content) || stamp.Size != int64(size) {
			t.Errorf("%d bytes: got %d, equal %v, stamp %+v, %v", size, len(data), bytes.Equal(data, content), stamp, err)
		}
	}
}

// TestFillShort: a file may be shorter than it was said to be, by any of the parts.
func TestFillShort(t *testing.T) {
	path, content := large(t, 3*readApart)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, more := range []int{0, 1, 3 * readApart} {
		data := make([]byte, len(content)+more)
		full, err := fill(data, f)
		if err != nil || full != (more == 0) || !bytes.Equal(data[:len(content)], content) {
			t.Errorf("%d bytes too many asked for: full %v, %v", more, full, err)
		}
	}
}

// BenchmarkReadFile is an index of 200,000 changesets.
func BenchmarkReadFile(b *testing.B) {
	path, content := large(b, 200_000*64)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if _, _, err := ReadFile(path); err != nil {
			b.Fatal(err)
		}
	}
}
