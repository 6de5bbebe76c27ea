// SPDX-License-Identifier: GPL-2.0-or-later

package cmdserver_test

import (
	"errors"
	"reflect"
	"testing"

	"hgbroker/protocol/cmdserver"
)

// Messages as hg 6.3.2 sent them.
var messages = []struct {
	bytes string
	want  cmdserver.Notice
}{
	{"\xa2DdataNmerging a.txt\nDtypeFstatus", cmdserver.Notice{Type: "status", Data: []byte("merging a.txt\n"), Pos: -1, Total: -1}},
	{"\xa4Gchoices\x82\x82AyCyes\x82AnBnoDdataGsure? XGdefaultAnDtypeFprompt", cmdserver.Notice{Type: "prompt", Data: []byte("sure? X"),
		Default: "n", HasDefault: true, Choices: [][2]string{{"y", "yes"}, {"n", "no"}}, Pos: -1, Total: -1}},
	{"\xa3DdataJpassword: Hpassword\xf5DtypeFprompt", cmdserver.Notice{Type: "prompt", Data: []byte("password: "), Password: true, Pos: -1, Total: -1}},
	{"\xa6Ditem@Cpos\x18\x2aEtopicEfilesEtotal\x19\x01\x00DtypeHprogressDunit@", cmdserver.Notice{Type: "progress", Data: []byte{}, Topic: "files", Pos: 42, Total: 256}},
	{"\xa6Ditem@Cpos\xf6EtopicEfilesEtotal\xf6DtypeHprogressDunit@", cmdserver.Notice{Type: "progress", Data: []byte{}, Topic: "files", Pos: -1, Total: -1}},
	{"\xbfDtype_BabAc\xffAx\x9f\x01\xff\xff", cmdserver.Notice{Type: "abc", Data: []byte{}, Pos: -1, Total: -1}},
}

func TestNotice(t *testing.T) {
	for _, m := range messages {
		got, err := cmdserver.DecodeNotice([]byte(m.bytes))
		if err != nil || !reflect.DeepEqual(*got, m.want) {
			t.Errorf("%q: %+v, %v, want %+v", m.bytes, got, err, m.want)
		}
	}
	for _, bad := range []string{"", "\x00", "\xa1", "\xa1Dtype", "\xa0\x00", "\xa1\x01\x02", "\xa1Gchoices\x81\x01", "\xbb\xff\xff\xff\xff\xff\xff\xff\xff", "\x82\x9f", "\xff", "\xa1Ax\xff",
		"\xa1Ax\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x00", "\xa1Ax\x5f\x5fAx\xff\xff"} {
		if n, err := cmdserver.DecodeNotice([]byte(bad)); !errors.Is(err, cmdserver.ErrMessage) {
			t.Errorf("%q: %+v, %v", bad, n, err)
		}
	}
}

func FuzzNotice(f *testing.F) {
	for _, m := range messages {
		f.Add([]byte(m.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := cmdserver.DecodeNotice(b)
		if (n == nil) == (err == nil) {
			t.Fatalf("%v, %v", n, err)
		}
		if n != nil && len(n.Data)+len(n.Item)+len(n.Topic)+len(n.Type) > len(b) {
			t.Fatalf("more text than there was: %+v", n)
		}
	})
}
