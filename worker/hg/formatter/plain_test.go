// SPDX-License-Identifier: GPL-2.0-or-later

package formatter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hgbroker/worker/hg/template"
)

// TestPlainLikeFmt compares with package fmt, also where the format does not fit.
func TestPlainLikeFmt(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	verbs := []string{"%s", "%d", "%5d", "%3s", "%10s", "%05d", "% 10d", "%-4s|", "%%", "%x", "%", "é ", "text ", "\n", "%120d"}
	texts := []string{"", "a", "zażółć", "\xff\xfe", "a longer text", "%d"}
	same := 0
	for range 20000 {
		var format strings.Builder
		for range rnd.IntN(4) {
			format.WriteString(verbs[rnd.IntN(len(verbs))])
		}
		var values []template.Value
		var args []any
		for range rnd.IntN(4) {
			if rnd.IntN(2) == 0 {
				n := rnd.Int64N(1e6) - 1000
				values, args = append(values, template.Int(n)), append(args, n)
			} else {
				s := texts[rnd.IntN(len(texts))]
				values, args = append(values, template.Bytes(s)), append(args, s)
			}
		}
		want := fmt.Sprintf(format.String(), args...)
		if got := string(appendPlain([]byte("in front "), format.String(), values)); got != "in front "+want {
			t.Fatalf("%q of %v: %q, want %q", format.String(), args, got, want)
		}
		if len(args) > 0 && !strings.Contains(want, "%!") {
			same++
		}
	}
	if same < 1000 {
		t.Errorf("only %d formats that fit", same)
	}
}
