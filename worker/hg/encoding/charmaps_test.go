// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// pythonTables prints, for each name given, what the 256 bytes decode to.
const pythonTables = `
import sys
for n in sys.argv[1:]:
    row = []
    for b in range(256):
        try:
            row.append(str(ord(bytes([b]).decode(n))))
        except UnicodeDecodeError:
            row.append("-1")
    print(n, ",".join(row))
`

func TestCharmapsAreThoseOfPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 to compare with")
	}
	args := []string{"-c", pythonTables}
	for n := range named() {
		if c, _ := lookup(n); !isUTF8Codec(c) {
			args = append(args, n)
		}
	}
	out, err := exec.Command(python, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for line := range strings.Lines(string(out)) {
		name, row, _ := strings.Cut(strings.TrimSpace(line), " ")
		c, ok := lookup(name)
		if !ok {
			t.Fatalf("%s: unknown", name)
		}
		table := c.(*tableCodec)
		table.tables()
		for b, want := range strings.Split(row, ",") {
			if got := strconv.Itoa(int(table.runes[b])); got != want {
				t.Errorf("%s: byte %#x is %s, in Python %s", name, b, got, want)
			}
			compared++
		}
	}
	if compared < 256*30 {
		t.Fatalf("only %d bytes compared", compared)
	}
}

func isUTF8Codec(c codec) bool {
	_, ok := c.(utf8Codec)
	return ok
}
