// SPDX-License-Identifier: GPL-2.0-or-later

package match

import (
	"errors"
	"syscall"
)

// reason is the C library's text, in the C locale, for an error that a path can
// have.
func reason(errno syscall.Errno) (text string, ok bool) {
	switch errno {
	case syscall.EPERM:
		return "Operation not permitted", true
	case syscall.ENOENT:
		return "No such file or directory", true
	case syscall.EIO:
		return "Input/output error", true
	case syscall.EACCES:
		return "Permission denied", true
	case syscall.ENOTDIR:
		return "Not a directory", true
	case syscall.EISDIR:
		return "Is a directory", true
	case syscall.EINVAL:
		return "Invalid argument", true
	case syscall.ELOOP:
		return "Too many levels of symbolic links", true
	case syscall.ENAMETOOLONG:
		return "File name too long", true
	case syscall.ESTALE:
		return "Stale file handle", true
	case syscall.ENXIO:
		return "No such device or address", true
	}
	return "", false
}

// Strerror is what hg prints as the reason of a failed system call. It reports
// false for an error that is not known.
func Strerror(err error) (string, bool) {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return "", false
	}
	s, ok := reason(errno)
	return s, ok
}
