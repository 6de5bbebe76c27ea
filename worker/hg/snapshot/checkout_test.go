// SPDX-License-Identifier: GPL-2.0-or-later

package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

var checkoutStamp = store.Stamp{Exists: true, Dev: 1, Ino: 2, Size: 3, MtimeNs: 4, CtimeNs: 5}

func smallCheckout() *image.Builder {
	var entries []dirstate.Entry
	for i := range 5 {
		entries = append(entries, dirstate.Entry{Path: fmt.Sprintf("dir%d/file%d", i%2, i), Item: dirstate.Item{Flags: dirstate.WdirTracked | dirstate.P1Tracked}})
	}
	entries = append(entries, dirstate.Entry{Path: "copy", CopySource: "dir0/file0", Item: dirstate.Item{Flags: dirstate.WdirTracked}})
	return BuildCheckout(checkoutStamp, dirstate.New(node.ID{1}, node.Null, entries))
}

func smallManifest() *image.Builder {
	text := []byte("a\x000123456789012345678901234567890123456789\n")
	id := revlog.HashText(node.Null, node.ID{7}, text)
	return BuildManifest(id, node.Null, node.ID{7}, text)
}

// whole opens an image of the working directory and walks all of it.
func whole(data []byte) error {
	img, err := image.Open(data, nil)
	if err != nil {
		return err
	}
	defer img.Close()
	var opened interface{ Verify() error }
	if img.Info().Kind == image.Manifest {
		opened, err = OpenManifest(img)
	} else {
		opened, err = OpenCheckout(img)
	}
	if err != nil {
		return err
	}
	return opened.Verify()
}

func TestCheckout(t *testing.T) {
	data := smallCheckout().Bytes()
	if err := whole(data); err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCheckout(img)
	if err != nil {
		t.Fatal(err)
	}
	d := c.Dirstate()
	if p1, _ := d.Parents(); c.Stamp() != checkoutStamp || d.Len() != 6 || d.CopySource(0) != "dir0/file0" || p1 != (node.ID{1}) {
		t.Errorf("%+v, %d entries, a copy of %q", c.Stamp(), d.Len(), d.CopySource(0))
	}
	if _, err := OpenManifest(img); err == nil {
		t.Error("it is a manifest")
	}
}

// TestDamagedCheckouts changes every byte of images, cuts them off everywhere, and
// puts other bytes into their sections.
func TestDamagedCheckouts(t *testing.T) {
	for name, b := range map[string]*image.Builder{"checkout": smallCheckout(), "manifest": smallManifest()} {
		good := b.Bytes()
		if err := whole(good); err != nil {
			t.Fatal(name, err)
		}
		img, err := image.Open(good, nil)
		if err != nil {
			t.Fatal(err)
		}
		inside := func(i int) bool { // what no checksum is about is the room between sections
			return i < image.HeaderSize+2*image.SectionSize || slices.ContainsFunc(img.Info().Sections, func(s image.Section) bool {
				return int64(i) >= s.Offset && int64(i) < s.Offset+s.Size
			})
		}
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 0x10
			if err := whole(bad); inside(i) && !errors.Is(err, image.ErrFormat) {
				t.Errorf("%s, byte %d: %v", name, i, err)
			}
			if err := whole(good[:i]); !errors.Is(err, image.ErrFormat) {
				t.Errorf("%s, %d bytes: %v", name, i, err)
			}
		}
		for _, s := range img.Info().Sections {
			section, _ := img.Section(s.ID)
			for i, bad := range [][]byte{nil, section[:len(section)-1], append(bytes.Clone(section), 0), make([]byte, len(section)), bytes.Repeat([]byte{0xff}, len(section))} {
				if name == "checkout" && s.ID == checkoutInput && len(bad) == stampSize {
					continue // the stamp of another file
				}
				b := image.NewBuilder(img.Info().Kind)
				for _, o := range img.Info().Sections {
					if o.ID != s.ID {
						b.AddFrom(img, o.ID)
					}
				}
				b.Add(s.ID, bad)
				if err := whole(b.Bytes()); !errors.Is(err, image.ErrFormat) {
					t.Errorf("%s, section %d, change %d: %v", name, s.ID, i, err)
				}
			}
		}
	}
}

func FuzzCheckout(f *testing.F) {
	f.Add(smallCheckout().Bytes())
	f.Add(smallManifest().Bytes())
	f.Fuzz(func(_ *testing.T, data []byte) { _ = whole(data) })
}
