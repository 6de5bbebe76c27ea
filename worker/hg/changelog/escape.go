// SPDX-License-Identifier: GPL-2.0-or-later

package changelog

import (
	"bytes"

	"hgbroker/worker/hg/config/python"
)

// parseExtra decodes "key:value".
func parseExtra(field []byte) (Extra, error) {
	if bytes.IndexByte(field, '\\') >= 0 {
		text, err := unescape(field)
		if err != nil {
			return Extra{}, err
		}
		field = []byte(text)
	}
	key, value, ok := bytes.Cut(field, []byte{':'})
	if !ok {
		return Extra{}, damaged("extra %q has no value", field)
	}
	return Extra{string(key), string(value)}, nil
}

// unescape decodes the escapes of an extra field. hg writes \\, \n, \r and \0
// and reads all those of Python's byte strings, but that \0 is always one zero
// byte, whatever digit follows.
func unescape(s []byte) (string, error) {
	whole := make([]byte, 0, len(s)+2)
	for i := 0; i < len(s); i++ {
		whole = append(whole, s[i])
		if s[i] == '\\' && i+1 < len(s) {
			i++
			whole = append(whole, s[i])
			if s[i] == '0' {
				whole = append(whole, '0', '0')
			}
		}
	}
	text, err := python.Unescape(string(whole))
	if err != nil {
		return "", damaged("extra %q: %v", s, err)
	}
	return text, nil
}
