// SPDX-License-Identifier: GPL-2.0-or-later

package patch

import (
	"strconv"

	"hgbroker/worker/hg/deflate"
)

// A binary patch of git, as hg writes it: a line "GIT binary patch", a line
// "literal SIZE", and the content as a zlib stream, 52 bytes a line. A line is
// the number of its bytes as a letter (A to Z for 1 to 26, a to z for 27 to 52),
// then the bytes in base 85, four in five digits, the last ones filled up with
// zeros. An empty line ends it. hg never writes deltas.

const binaryLine = 52

const digits85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

// appendBinary writes the patch that makes a file data.
func appendBinary(out, data []byte) []byte {
	out = append(out, "GIT binary patch\nliteral "...)
	out = append(strconv.AppendInt(out, int64(len(data)), 10), '\n')
	packed := deflate.Zlib(data)
	for len(packed) > 0 {
		line := packed[:min(binaryLine, len(packed))]
		packed = packed[len(line):]
		if n := len(line); n <= 26 {
			out = append(out, byte('A'+n-1))
		} else {
			out = append(out, byte('a'+n-27))
		}
		for i := 0; i < len(line); i += 4 {
			var word uint32
			for j := i; j < i+4; j++ {
				word <<= 8
				if j < len(line) {
					word |= uint32(line[j])
				}
			}
			var digits [5]byte
			for j := 4; j >= 0; j-- {
				digits[j] = digits85[word%85]
				word /= 85
			}
			out = append(out, digits[:]...)
		}
		out = append(out, '\n')
	}
	return append(out, '\n')
}
