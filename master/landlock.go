// SPDX-License-Identifier: GPL-2.0-or-later

package master

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// denyWriting gives up, for the calling thread and everything that it will ever
// fork, the right to change the file system: to open a file for writing, to
// truncate, make, remove, link or rename one. Reading, executing, descriptors
// that are open already and memfds are not touched; /dev/null stays writable.
// It sets no_new_privs, as the kernel demands. There is no way back.
//
// It uses Landlock (Linux 5.13; `man 7 landlock`). Newer kernels know more
// rights; the ABI number says which. The result describes what holds now, for
// stats; an error says that nothing was given up.
func denyWriting() (string, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return "", fmt.Errorf("landlock: %w", errno)
	}
	rights := uint64(unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM)
	device := uint64(unix.LANDLOCK_ACCESS_FS_WRITE_FILE)
	if abi >= 2 {
		rights |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		rights |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
		device |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	// Only the first field is given: every ABI knows it.
	attr := unix.LandlockRulesetAttr{Handled_access_fs: rights}
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return "", fmt.Errorf("landlock: create ruleset: %w", errno)
	}
	defer unix.Close(int(ruleset))
	null, err := unix.Open("/dev/null", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err == nil {
		rule := unix.LandlockPathBeneathAttr{Allowed_access: device, Parent_fd: int32(null)}
		_, _, errno = unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
		unix.Close(null)
		if errno != 0 {
			return "", fmt.Errorf("landlock: rule for /dev/null: %w", errno)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return "", fmt.Errorf("landlock: no_new_privs: %w", err)
	}
	if _, _, errno = unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return "", fmt.Errorf("landlock: restrict: %w", errno)
	}
	return fmt.Sprintf("readers cannot write (ABI %d)", abi), nil
}

var errNoLandlock = errors.New("landlock: switched off")
