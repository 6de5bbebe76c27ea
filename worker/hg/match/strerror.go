// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"errors"
	"sync"
	"syscall"
)

// reasons are the C library's texts, in the C locale, for the errors that a
// path can have.
var reasons = sync.OnceValue(func() map[syscall.Errno]string {
	return map[syscall.Errno]string{
		syscall.EPERM:        "Operation not permitted",
		syscall.ENOENT:       "No such file or directory",
		syscall.EIO:          "Input/output error",
		syscall.EACCES:       "Permission denied",
		syscall.ENOTDIR:      "Not a directory",
		syscall.EISDIR:       "Is a directory",
		syscall.EINVAL:       "Invalid argument",
		syscall.ELOOP:        "Too many levels of symbolic links",
		syscall.ENAMETOOLONG: "File name too long",
		syscall.ESTALE:       "Stale file handle",
		syscall.ENXIO:        "No such device or address",
	}
})

// Strerror is what hg prints as the reason of a failed system call. It reports
// false for an error that is not known.
func Strerror(err error) (string, bool) {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return "", false
	}
	s, ok := reasons()[errno]
	return s, ok
}
