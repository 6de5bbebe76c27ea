// SPDX-License-Identifier: GPL-2.0-or-later

package hgtest

import "syscall"

// processUmask is read before anything else runs, since that sets it for a moment.
var processUmask = func() uint32 {
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	return uint32(mask)
}()

// Umask is that of the test, which every hg that it starts inherits.
func Umask() uint32 { return processUmask }
