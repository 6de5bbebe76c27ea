// SPDX-License-Identifier: GPL-2.0-or-later

package encoding

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charmaps lists the one-byte encodings that x/text and Python agree on, with
// the names that Python has for them (in the form of normalizeName) and the
// bytes that stand for nothing in Python. A test compares every byte.
var charmaps = []struct {
	names     string // separated by spaces
	table     *charmap.Charmap
	undefined string
}{
	{"iso8859_2 csisolatin2 iso_8859_2 iso_8859_2_1987 iso_ir_101 l2 latin2", charmap.ISO8859_2, ""},
	{"iso8859_3 csisolatin3 iso_8859_3 iso_8859_3_1988 iso_ir_109 l3 latin3", charmap.ISO8859_3, "\xa5\xae\xbe\xc3\xd0\xe3\xf0"},
	{"iso8859_4 csisolatin4 iso_8859_4 iso_8859_4_1988 iso_ir_110 l4 latin4", charmap.ISO8859_4, ""},
	{"iso8859_5 csisolatincyrillic cyrillic iso_8859_5 iso_8859_5_1988 iso_ir_144", charmap.ISO8859_5, ""},
	{"iso8859_6 arabic asmo_708 csisolatinarabic ecma_114 iso_8859_6 iso_8859_6_1987 iso_ir_127", charmap.ISO8859_6, "\xa1\xa2\xa3\xa5\xa6\xa7\xa8\xa9\xaa\xab\xae\xaf\xb0\xb1\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xbc\xbd\xbe\xc0\xdb\xdc\xdd\xde\xdf\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff"},
	{"iso8859_7 csisolatingreek ecma_118 elot_928 greek greek8 iso_8859_7 iso_8859_7_1987 iso_ir_126", charmap.ISO8859_7, "\xae\xd2\xff"},
	{"iso8859_8 csisolatinhebrew hebrew iso_8859_8 iso_8859_8_1988 iso_ir_138", charmap.ISO8859_8, "\xa1\xbf\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf\xd0\xd1\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xdb\xdc\xdd\xde\xfb\xfc\xff"},
	{"iso8859_9 csisolatin5 iso_8859_9 iso_8859_9_1989 iso_ir_148 l5 latin5", charmap.ISO8859_9, ""},
	{"iso8859_10 csisolatin6 iso_8859_10 iso_8859_10_1992 iso_ir_157 l6 latin6", charmap.ISO8859_10, ""},
	{"iso8859_13 iso_8859_13 l7 latin7", charmap.ISO8859_13, ""},
	{"iso8859_14 iso_8859_14 iso_8859_14_1998 iso_celtic iso_ir_199 l8 latin8", charmap.ISO8859_14, ""},
	{"iso8859_15 iso_8859_15 l9 latin9", charmap.ISO8859_15, ""},
	{"iso8859_16 iso_8859_16 iso_8859_16_2001 iso_ir_226 l10 latin10", charmap.ISO8859_16, ""},
	{"cp437 437 cspc8codepage437 ibm437", charmap.CodePage437, ""},
	{"cp850 850 cspc850multilingual ibm850", charmap.CodePage850, ""},
	{"cp852 852 cspcp852 ibm852", charmap.CodePage852, ""},
	{"cp855 855 csibm855 ibm855", charmap.CodePage855, ""},
	{"cp858 858 csibm858 ibm858", charmap.CodePage858, ""},
	{"cp860 860 csibm860 ibm860", charmap.CodePage860, ""},
	{"cp862 862 cspc862latinhebrew ibm862", charmap.CodePage862, ""},
	{"cp863 863 csibm863 ibm863", charmap.CodePage863, ""},
	{"cp865 865 csibm865 ibm865", charmap.CodePage865, ""},
	{"cp866 866 csibm866 ibm866", charmap.CodePage866, ""},
	{"cp1250 1250 windows_1250", charmap.Windows1250, "\x81\x83\x88\x90\x98"},
	{"cp1251 1251 windows_1251", charmap.Windows1251, "\x98"},
	{"cp1252 1252 windows_1252", charmap.Windows1252, "\x81\x8d\x8f\x90\x9d"},
	{"cp1253 1253 windows_1253", charmap.Windows1253, "\x81\x88\x8a\x8c\x8d\x8e\x8f\x90\x98\x9a\x9c\x9d\x9e\x9f\xaa\xd2\xff"},
	{"cp1254 1254 windows_1254", charmap.Windows1254, "\x81\x8d\x8e\x8f\x90\x9d\x9e"},
	{"cp1255 1255 windows_1255", charmap.Windows1255, "\x81\x8a\x8c\x8d\x8e\x8f\x90\x9a\x9c\x9d\x9e\x9f\xca\xd9\xda\xdb\xdc\xdd\xde\xdf\xfb\xfc\xff"},
	{"cp1256 1256 windows_1256", charmap.Windows1256, ""},
	{"cp1257 1257 windows_1257", charmap.Windows1257, "\x81\x83\x88\x8a\x8c\x90\x98\x9a\x9c\x9f\xa1\xa5"},
	{"cp1258 1258 windows_1258", charmap.Windows1258, "\x81\x8a\x8d\x8e\x8f\x90\x9a\x9d\x9e"},
	{"koi8_r cskoi8r", charmap.KOI8R, ""},
	{"mac_roman macintosh macroman", charmap.Macintosh, ""},
}

var (
	asciiCodec = &tableCodec{name: "ascii", reason: "ordinal not in range(128)", toRune: func(b byte) rune {
		if b >= utf8.RuneSelf {
			return -1
		}
		return rune(b)
	}}
	latin1Codec = &tableCodec{name: "latin-1", toRune: func(b byte) rune { return rune(b) }}
)

// named finds codecs by their normalized name; each is built at its first use.
var named = sync.OnceValue(func() map[string]func() codec {
	m := map[string]func() codec{}
	add := func(names string, build func() codec) {
		build = sync.OnceValue(build)
		for n := range strings.FieldsSeq(names) {
			m[n] = build
		}
	}
	add("utf_8 utf8 u8 utf utf8_ucs2 utf8_ucs4 cp65001", func() codec { return utf8Codec{} })
	add("ascii 646 ansi_x3.4_1968 ansi_x3.4_1986 ansi_x3_4_1968 cp367 csascii ibm367 iso646_us "+
		"iso_646.irv_1991 iso_ir_6 us us_ascii", func() codec { return asciiCodec })
	add("latin_1 8859 cp819 csisolatin1 ibm819 iso8859 iso8859_1 iso_8859_1 iso_8859_1_1987 iso_ir_100 "+
		"l1 latin latin1", func() codec { return latin1Codec })
	for _, c := range charmaps {
		add(c.names, func() codec {
			return &tableCodec{name: "charmap", reason: "character maps to <undefined>", toRune: func(b byte) rune {
				if strings.IndexByte(c.undefined, b) >= 0 {
					return -1
				}
				if b >= 0x80 && b <= 0x9f && c.table.DecodeByte(b) == utf8.RuneError {
					return rune(b) // a control character, which x/text's ISO 8859 tables lack
				}
				return c.table.DecodeByte(b)
			}}
		})
	}
	return m
})

// lookup finds a codec by any of the spellings that Python takes.
func lookup(name string) (codec, bool) {
	build, ok := named()[normalizeName(name)]
	if !ok {
		return nil, false
	}
	return build(), true
}

// normalizeName is how Python compares names of encodings: small letters, and
// runs of anything but letters, digits and dots are one underscore.
func normalizeName(name string) string {
	var b strings.Builder
	gap := false
	for _, c := range []byte(asciiLower(name)) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' {
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			gap = false
			b.WriteByte(c)
			continue
		}
		gap = true
	}
	return b.String()
}
