// SPDX-License-Identifier: GPL-2.0-or-later

package dirstate

// Flags say how a file is tracked. The bits are those of a dirstate-v2 node.
type Flags uint16

// The flags of a node.
const (
	WdirTracked          Flags = 1 << iota // tracked in the working directory
	P1Tracked                              // in the first parent
	P2Info                                 // a merge brought something of the second parent
	ModeExec                               // expected to be executable
	ModeSymlink                            // expected to be a symbolic link
	HasFallbackExec                        // FallbackExec counts where the file system cannot tell
	FallbackExec                           //
	HasFallbackSymlink                     // FallbackSymlink counts where the file system cannot tell
	FallbackSymlink                        //
	ExpectedModified                       // never written by hg; makes the data meaningless
	HasModeAndSize                         // Mode and Size are known
	HasMtime                               // the modification time is known
	MtimeSecondAmbiguous                   // the seconds alone do not prove anything
	IsDirectory                            // a directory of the tree
	AllUnknownRecorded                     // of a directory
	AllIgnoredRecorded                     // of a directory
)

// notOfFiles are the flags that only a directory of the tree has.
const notOfFiles = IsDirectory | AllUnknownRecorded | AllIgnoredRecorded

// Item is the state of one file, in the terms of hg's DirstateItem.
//
// Size is the size in bytes, modulo 1<<31, that the file had when it was
// clean, and Mode its st_mode; both count under HasModeAndSize. MtimeS and
// MtimeNS are its modification time, the seconds modulo 1<<31, zero
// nanoseconds for unknown ones; they count under HasMtime.
type Item struct {
	Flags   Flags
	Mode    int32
	Size    int32
	MtimeS  int32
	MtimeNS int32
}

const (
	modeSymlink = 0o120000
	modeRegular = 0o100000
	modeType    = 0o170000
)

// Tracked reports whether the file is tracked in the working directory.
func (i Item) Tracked() bool { return i.Flags&WdirTracked != 0 }

// P1Tracked reports whether the file is in the first parent.
func (i Item) P1Tracked() bool { return i.Flags&P1Tracked != 0 }

// AnyTracked reports whether the file is tracked here or in a parent.
func (i Item) AnyTracked() bool { return i.Flags&(WdirTracked|P1Tracked|P2Info) != 0 }

// P2Info reports whether a tracked file took part in a merge, which makes it
// modified whatever it holds.
func (i Item) P2Info() bool { return i.Flags&WdirTracked != 0 && i.Flags&P2Info != 0 }

// Merged reports whether a tracked file comes from both parents.
func (i Item) Merged() bool {
	return i.Flags&(WdirTracked|P1Tracked|P2Info) == WdirTracked|P1Tracked|P2Info
}

// FromP2 reports whether a tracked file comes from the second parent alone.
func (i Item) FromP2() bool {
	return i.Flags&(WdirTracked|P1Tracked|P2Info) == WdirTracked|P2Info
}

// Added reports whether the file is tracked here and in no parent.
func (i Item) Added() bool { return i.Flags&(WdirTracked|P1Tracked|P2Info) == WdirTracked }

// Removed reports whether the file is in a parent and no longer tracked here.
func (i Item) Removed() bool { return !i.Tracked() && i.AnyTracked() }

// MaybeClean reports whether the file can be clean at all.
func (i Item) MaybeClean() bool {
	return i.Flags&(WdirTracked|P1Tracked|P2Info) == WdirTracked|P1Tracked
}

// HasData reports whether Mode and Size are known.
func (i Item) HasData() bool { return i.Flags&HasModeAndSize != 0 }

// MtimeLikelyEqual reports whether a file's modification time (sec modulo
// 1<<31; nsec 0 when only the seconds are known) is the recorded one.
func (i Item) MtimeLikelyEqual(sec, nsec int32) bool {
	switch {
	case i.Flags&HasMtime == 0 || i.MtimeS != sec:
		return false
	case nsec == 0 || i.MtimeNS == 0:
		return i.Flags&MtimeSecondAmbiguous == 0
	}
	return i.MtimeNS == nsec
}

// The values with a meaning of their own in a version 1 entry.
const (
	sizeUnknown = -1 // modified, added or merged; any size
	sizeFromP2  = -2 // from the second parent
	mtimeUnset  = -1 // has to be compared
)

// State is version 1's letter: 'n' normal, 'm' merged, 'a' added, 'r' removed,
// and '?' for what is tracked nowhere.
func (i Item) State() byte {
	switch {
	case !i.AnyTracked():
		return '?'
	case i.Removed():
		return 'r'
	case i.Merged():
		return 'm'
	case i.Added():
		return 'a'
	}
	return 'n'
}

// V1 are the mode, size and modification time that version 1 has for the file,
// and that `hg debugstate` shows.
func (i Item) V1() (mode, size, mtime int32) {
	if i.HasData() {
		mode = i.Mode
	}
	switch {
	case i.Removed() && i.P1Tracked() && i.Flags&P2Info != 0:
		size = sizeUnknown
	case i.Flags&P2Info != 0:
		size = sizeFromP2
	case i.Removed():
		size = 0
	case i.Added() || !i.HasData():
		size = sizeUnknown
	default:
		size = i.Size
	}
	switch {
	case i.Removed():
		mtime = 0
	case i.Flags&HasMtime == 0, i.Flags&P2Info != 0, !i.P1Tracked(), i.Flags&MtimeSecondAmbiguous != 0:
		mtime = mtimeUnset
	default:
		mtime = i.MtimeS
	}
	return mode, size, mtime
}

// fromV1 is the item that a version 1 entry stands for. It reports false for
// an unknown state.
func fromV1(state byte, mode, size, mtime int32) (Item, bool) {
	switch state {
	case 'm':
		return Item{Flags: WdirTracked | P1Tracked | P2Info}, true
	case 'a':
		return Item{Flags: WdirTracked}, true
	case 'r':
		switch size {
		case sizeUnknown:
			return Item{Flags: P1Tracked | P2Info}, true
		case sizeFromP2:
			return Item{Flags: P2Info}, true
		}
		return Item{Flags: P1Tracked}, true
	case 'n':
		switch {
		case size == sizeFromP2:
			return Item{Flags: WdirTracked | P2Info}, true
		case size == sizeUnknown:
			return Item{Flags: WdirTracked | P1Tracked}, true
		case mtime == mtimeUnset:
			return Item{Flags: WdirTracked | P1Tracked | HasModeAndSize, Mode: mode, Size: size}, true
		}
		return Item{Flags: WdirTracked | P1Tracked | HasModeAndSize | HasMtime, Mode: mode, Size: size, MtimeS: mtime}, true
	}
	return Item{}, false
}

// fromV2 is the item that a node's fields stand for.
func fromV2(f Flags, size, sec, nsec int32) Item {
	if f&ExpectedModified != 0 {
		f &^= HasModeAndSize | HasMtime
	}
	i := Item{Flags: f &^ notOfFiles}
	if f&HasModeAndSize != 0 {
		i.Size, i.Mode = size, 0o644|modeRegular
		if f&ModeExec != 0 {
			i.Mode = 0o755 | modeRegular
		}
		if f&ModeSymlink != 0 {
			i.Mode = i.Mode&^modeType | modeSymlink
		}
	}
	if f&HasMtime != 0 {
		i.MtimeS, i.MtimeNS = sec, nsec
	}
	return i
}
