// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// fingerprint lists every file below dir with its size, mode and mtime, so
// that two of them are equal only if nothing was written between them.
func fingerprint(dir string) string {
	var b strings.Builder
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", path, err)
			return nil
		}
		if info, err := d.Info(); err == nil {
			fmt.Fprintf(&b, "%q %d %v %d\n", path, info.Size(), info.Mode(), info.ModTime().UnixNano())
		}
		return nil
	})
	return b.String()
}
