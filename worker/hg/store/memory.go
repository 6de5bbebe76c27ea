// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of the larger pages that the kernel may back memory with,
// in bytes.
const hugePage = 2 << 20

// hugePages tells the kernel that memory which was just allocated is about to be
// filled: in large pages that takes half of the time, since the kernel is
// interrupted for each page once. Where there are none, nothing happens.
func hugePages(b []byte) {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	first := int(-start & (hugePage - 1))
	if whole := (len(b) - first) &^ (hugePage - 1); whole > 0 {
		_ = unix.Madvise(b[first:first+whole], unix.MADV_HUGEPAGE)
	}
}
