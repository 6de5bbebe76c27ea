// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"time"

	"hgbroker/worker/hg/dirstate"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/image"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/requires"
	"hgbroker/worker/hg/snapshot"
	"hgbroker/worker/hg/store"
)

// sharedDirstate is from which size on, of the file and in memory, a dirstate is
// shared between workers, in bytes. One of half of that, of a thousand files, is
// read in the time that asking for an image takes, and making an image takes several
// times as long.
const sharedDirstate = 128 << 10

// keptDirstate is the dirstate, read from the file or as an image has it. What it
// was made of is the file's stamp: hg never writes into the file, but replaces it.
type keptDirstate struct {
	known bool
	young bool // known for this command only
	stamp store.Stamp
	value *dirstate.Dirstate
	open  *snapshot.Checkout   // that value stands in, or nil
	spent []*snapshot.Checkout // replaced; the last command may have strings of them
	asked store.Stamp          // for which an image was asked for last
	owed  bool                 // value is to become an image
	fork  bool                 // of a View that shares value with another
}

// clockTick is how long two writes may leave the same time on a file, with room to
// spare; otherClock is from when on a time of the future is another machine's.
const (
	clockTick  = 20 * time.Millisecond
	otherClock = 2 * time.Second
)

// settled tells that a file which was changed once more since it was read, in
// whatever way, has another stamp now.
func (r *Repo) settled(s store.Stamp) bool {
	if r.clock == nil || !s.Exists {
		return true
	}
	age := r.clock().Sub(time.Unix(0, s.CtimeNs))
	return age >= clockTick || age <= -otherClock
}

// begin is for the next command.
func (k *keptDirstate) begin() {
	k.release()
	if k.young {
		k.known, k.young = false, false
	}
}

// release gives back the images that were replaced.
func (k *keptDirstate) release() {
	for _, old := range k.spent {
		old.Close()
	}
	k.spent = nil
}

func (k *keptDirstate) close() {
	k.release()
	if k.open != nil {
		k.open.Close()
	}
	*k = keptDirstate{}
}

// put takes a dirstate in the place of the one before; c is the image that it
// stands in, if it does.
func (k *keptDirstate) put(d *dirstate.Dirstate, c *snapshot.Checkout, stamp store.Stamp) {
	if k.open != nil {
		k.spent = append(k.spent, k.open)
	}
	k.value, k.open, k.stamp, k.owed = d, c, stamp, false
	k.known, k.young = true, false
}

func (r *Repo) checkoutKey() image.Key {
	return image.Key{Kind: image.Checkout, Path: r.Layout.Root}
}

// Dirstate is the whole dirstate, as the View's parents are from: a dirstate
// that was replaced since is damage that changed, and the command starts again. It
// is not to be used after the command, and neither are its strings.
func (v *View) Dirstate() (*dirstate.Dirstate, error) {
	if k := &v.checkout.worktree.dirstate; k.known && k.stamp == v.checkout.parents.stamps[0] {
		return k.value, nil // when the command looked at the parents it was this one
	}
	d, err := v.readDirstate()
	if err != nil {
		return nil, err
	}
	if v.checkout.worktree.dirstate.stamp != v.checkout.parents.stamps[0] {
		p1, p2 := d.Parents()
		if v.checkout.parents.value.ids != [2]node.ID{p1, p2} {
			return nil, &hgerr.Damage{Op: "read", Path: "dirstate", Cause: "the parents are others than a moment ago", Changed: true}
		}
	}
	return d, nil
}

// readDirstate is the dirstate of now.
func (r *Repo) readDirstate() (*dirstate.Dirstate, error) {
	k, path := &r.checkout.worktree.dirstate, r.Layout.Dot+"/dirstate"
	now, err := store.StampOf(path)
	if err != nil {
		return nil, err
	}
	if k.known && k.stamp == now {
		return k.value, nil
	}
	if c := r.leaseCheckout(now); c != nil {
		k.put(c.Dirstate(), c, now)
		return k.value, nil
	}
	k.known = false
	d, err := dirstate.Open(r.Layout.Dot, r.Layout.Requirements.Has(requires.DirstateV2))
	if err != nil {
		return nil, err
	}
	after, err := store.StampOf(path)
	if err != nil {
		return nil, err
	}
	k.put(d, nil, now)
	k.known, k.young = after == now, !r.settled(now)
	k.owed = k.known && !k.young && !k.fork && d.Size() >= sharedDirstate
	return d, nil
}

// leaseCheckout is an image of the dirstate, if there is one and it is worth to
// ask: once for each state of the file.
func (r *Repo) leaseCheckout(now store.Stamp) *snapshot.Checkout {
	k := &r.checkout.worktree.dirstate
	if k.fork || k.asked == now {
		return nil
	}
	k.asked = now
	if head, err := r.dirstateHead(nil); err != nil || head.size < sharedDirstate {
		return nil
	}
	c := r.leasedCheckout()
	if c != nil && c.Stamp() != now {
		c.Close()
		return nil
	}
	return c
}

// leasedCheckout is the image of a dirstate that is known, whatever it stands for.
func (r *Repo) leasedCheckout() *snapshot.Checkout {
	img := r.images.Lease(r.checkoutKey())
	if img == nil {
		return nil
	}
	c, err := snapshot.OpenCheckout(img)
	if err != nil {
		img.Close()
		return nil
	}
	return c
}

// RefreshCheckout reads the dirstate and its parent's manifest, each if it is large
// and somebody had use for an earlier one, so that the next settlement makes images
// of them. It may wait for clockTick. What is wrong is for a command to say.
func (r *Repo) RefreshCheckout() {
	head, err := r.dirstateHead(nil)
	if err != nil {
		return
	}
	if head.size >= sharedDirstate {
		r.refreshDirstate()
	}
	if rev, ok := r.snap.Rev(head.ids[0]); ok {
		r.refreshManifest(rev)
	}
}

func (r *Repo) refreshDirstate() {
	k := &r.checkout.worktree.dirstate
	if k.value == nil {
		c := r.leasedCheckout()
		if c == nil {
			return
		}
		k.put(c.Dirstate(), c, c.Stamp())
	}
	if now, err := store.StampOf(r.Layout.Dot + "/dirstate"); err == nil && !r.settled(now) {
		time.Sleep(clockTick)
	}
	_, _ = r.readDirstate()
}

// keepDirstate makes the image of a dirstate, if nobody else has.
func (r *Repo) keepDirstate(d *dirstate.Dirstate, stamp store.Stamp) (*snapshot.Checkout, error) {
	if c := r.leasedCheckout(); c != nil {
		if c.Stamp() == stamp {
			return c, nil
		}
		c.Close()
	}
	img, err := r.images.Keep(r.checkoutKey(), snapshot.BuildCheckout(stamp, d))
	if err != nil {
		return nil, err
	}
	c, err := snapshot.OpenCheckout(img)
	if err != nil {
		img.Close()
	}
	return c, err
}

// adoptDirstate uses the image that was made of d, if d is still what counts, and
// drops what this process has of it for itself.
func (r *Repo) adoptDirstate(c *snapshot.Checkout, d *dirstate.Dirstate) {
	k := &r.checkout.worktree.dirstate
	if k.value != d || !k.known || k.stamp != c.Stamp() {
		c.Close()
		return
	}
	r.checkout.worktree.memo.Moved(d, c.Dirstate())
	k.put(c.Dirstate(), c, k.stamp)
}
