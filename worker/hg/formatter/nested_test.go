// SPDX-License-Identifier: GPL-2.0-or-later

package formatter_test

import (
	"bytes"
	"testing"

	"hgbroker/worker/hg/formatter"
	"hgbroker/worker/hg/template"
)

// TestNestedValues passes containers inside containers to every format; what
// they print is compared with hg elsewhere, here they must not be lost.
func TestNestedValues(t *testing.T) {
	inner := template.Mappings("", "", []template.Item{{Fields: []template.Binding{{Name: "k", Value: template.Int(1)}}}})
	values := []template.Value{
		template.PlainList([]template.Value{inner, template.None()}),
		template.Dict("key", "value", " ", []template.Binding{{Name: "d", Value: inner}}),
		template.List("x", ",", []template.Value{inner, template.Bytes("b")}),
		inner,
	}
	for _, ref := range []string{"json", "cbor", "debug"} {
		var w bytes.Buffer
		fm, err := formatter.New(&formatter.Config{}, formatter.Spec{Ref: ref}, "t", nil, &w)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			fm.StartItem()
			fm.Data("v", v)
		}
		if err := fm.End(); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
		if n := bytes.Count(w.Bytes(), []byte("k")); n < len(values) {
			t.Errorf("%s: %d of %d values in %q", ref, n, len(values), w.String())
		}
	}
}
