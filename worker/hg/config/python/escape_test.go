// SPDX-License-Identifier: GPL-2.0-or-later

package python_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/config/python"
	"hgbroker/worker/hg/hgtest"
)

// escapes reads lines of hex and prints for each what Python makes of it:
// repr, encoded and decoded, as hex; "error: " and its words where it refuses.
const escapes = `
import codecs, sys
for line in sys.stdin:
    s = bytes.fromhex(line)
    try:
        decoded = codecs.escape_decode(s)[0].hex()
    except ValueError as e:
        decoded = 'error: ' + str(e)
    print(repr(s)[1:].encode().hex(), codecs.escape_encode(s)[0].hex(), decoded, sep='|')
`

func TestEscapesAsInPython(t *testing.T) {
	pieces := []string{`\`, `\`, `\\`, `\n`, `\x`, `\x4`, `\x41`, `\0`, `\18`, `\777`, `\q`, "\\\n", `\'`, `\"`, `\a\b\f\r\t\v`, "a", "7", "e", "'", `"`, "\n", "\r", "\t", "\x00", "\x7f", "\xe9", "é"}
	rnd := rand.New(rand.NewPCG(21, 22))
	var list []string
	var in bytes.Buffer
	for range 5000 {
		var b strings.Builder
		for range rnd.IntN(7) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		list = append(list, b.String())
		fmt.Fprintf(&in, "%x\n", b.String())
	}
	cmd := hgtest.Python(t, hgtest.Hg(t), "-W", "ignore", "-c", escapes)
	cmd.Stdin = &in
	answers := bufio.NewScanner(bytes.NewReader(hgtest.Output(t, cmd)))
	good := 0
	for _, s := range list {
		if !answers.Scan() {
			t.Fatal("too few answers")
		}
		decoded, err := python.Unescape(s)
		got := fmt.Sprintf("%x|%x|%x", python.Repr(s), python.Escape(s), decoded)
		if err != nil {
			got += "error: " + err.Error()
		} else {
			good++
		}
		// Python starts the words of one error with a capital; hg prints them small.
		want := strings.Replace(answers.Text(), "error: Trailing", "error: trailing", 1)
		if got != want {
			text, _ := hex.DecodeString(strings.Split(want, "|")[0])
			t.Errorf("%q: got %s, want %s (repr %s)", s, got, want, text)
		}
	}
	if good < 1000 {
		t.Errorf("only %d of %d were decoded", good, len(list))
	}
}
