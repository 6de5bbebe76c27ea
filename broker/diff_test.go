// SPDX-License-Identifier: GPL-2.0-or-later

package broker

import (
	"reflect"
	"testing"

	"hgbroker/protocol"
)

// someDiff is what hg 6.3.2 prints for a commit with an edit, a rename with an
// edit, a new file without a newline at its end, a removed and a binary file, and
// a change of mode.
const someDiff = `diff --git a/a b/a
--- a/a
+++ b/a
@@ -1,2 +1,3 @@
 one
+two
 three
diff --git a/old name b/new name
rename from old name
rename to new name
--- a/old name
+++ b/new name
@@ -1,1 +1,1 @@
--- x
+++ x
diff --git a/n b/n
new file mode 100644
--- /dev/null
+++ b/n
@@ -0,0 +1,1 @@
+n
\ No newline at end of file
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1,1 +0,0 @@
-x
diff --git a/bin b/bin
index 1f2a..3c4d
GIT binary patch
literal 5
Mc$|c1@@ -1 +1 @@

diff --git a/run b/run
old mode 100644
new mode 100755
`

func TestParseDiff(t *testing.T) {
	got, err := parseDiff([]byte(someDiff), false)
	want := []protocol.DiffFile{
		{Path: "a", Status: "modified", Added: 1},
		{Path: "new name", OldPath: "old name", Status: "renamed", Added: 1, Removed: 1},
		{Path: "n", Status: "added", Added: 1}, {Path: "gone", Status: "removed", Removed: 1},
		{Path: "bin", Status: "modified", Binary: true}, {Path: "run", Status: "modified"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = parseDiff([]byte(someDiff), true); err != nil || len(got[2].Hunks) != 1 || len(got[2].Hunks[0].Lines) != 2 || got[1].Hunks[0].Lines[0] != "--- x" {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzParseDiff(f *testing.F) {
	f.Add([]byte(someDiff))
	f.Add([]byte("diff --git a/ b/\n@@ -1 +1 @@\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := parseDiff(b, true)
		if err != nil {
			return
		}
		for _, d := range files {
			added, removed := 0, 0
			for _, h := range d.Hunks {
				for _, l := range h.Lines {
					if len(l) > 0 && l[0] == '+' {
						added++
					}
					if len(l) > 0 && l[0] == '-' {
						removed++
					}
				}
			}
			if added != d.Added || removed != d.Removed {
				t.Fatalf("%+v", d)
			}
		}
	})
}
