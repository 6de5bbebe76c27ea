// SPDX-License-Identifier: GPL-2.0-or-later

package revlog

import (
	"bytes"
	"crypto/sha1"
	"os"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/store"
)

// Limits. What exceeds them is left to the real hg (*hgerr.Unsupported) when
// the index says so, and is damage when it turns up on decoding.
const (
	MaxTextSize    = 1 << 30 // bytes of one text
	MaxChainLength = 1 << 17 // deltas that one text is made from; hg stops at 1000 by default
	MaxChainData   = 2 << 30 // bytes of their chunks; hg stops at four times the text
)

// maxGap is the number of unneeded bytes between two chunks that are read along
// rather than with a pread of their own.
const maxGap = 32 << 10

// Revlog reads the revisions of one revlog. It holds at most one open file and
// one text, and is not safe for concurrent use.
type Revlog struct {
	Index

	files store.Files
	stamp store.Stamp // of the index file when it was read; zero when not known

	raw      []byte   // the whole inline file, when Open read it
	data     *os.File // opened when first needed
	dataSize int64

	// The text that was returned last: reading in order then costs one delta.
	lastRev  node.Rev
	lastText []byte

	dec     *decompressor
	patcher patcher
	chain   []node.Rev
	lookup  lookup
}

// Open reads a revlog's index whole. A missing or empty one has no revisions.
func Open(files store.Files) (*Revlog, error) {
	raw, stamp, err := store.ReadFile(files.IndexPath())
	if err != nil {
		return nil, err
	}
	x, err := ParseIndex(files.Display, raw)
	if err != nil {
		return nil, err
	}
	r := OpenWithIndex(files, x, stamp)
	if x.Inline() {
		r.raw = raw
	}
	return r, nil
}

// OpenWithIndex is a revlog whose index is held already. No file is touched
// until a text is asked for. stamp is that of the index file when x was read;
// the zero Stamp when that is not known.
func OpenWithIndex(files store.Files, x Index, stamp store.Stamp) *Revlog {
	return &Revlog{Index: x, files: files, stamp: stamp, lastRev: node.NullRev}
}

// Files returns the names of the revlog's files.
func (r *Revlog) Files() store.Files { return r.files }

// Stamp returns the stamp of the index file as of when it was read.
func (r *Revlog) Stamp() store.Stamp { return r.stamp }

// Display returns what hg calls the revlog in its messages.
func (r *Revlog) Display() string { return r.files.Display }

// Close closes the files and forgets the last text. The revlog may still be used
// and opens them again.
func (r *Revlog) Close() error {
	r.lastText, r.lastRev = nil, node.NullRev
	return r.Park()
}

// Held is about how many bytes a parked revlog takes.
func (r *Revlog) Held() int {
	n := len(r.lastText) + len(r.raw)
	if r.pages == nil {
		return n + len(r.entries) + len(r.tail)
	}
	for _, page := range r.pages.list {
		n += len(page)
	}
	return n
}

// Park closes the files, and keeps what was read of them: the revlog may be used
// again as long as the index file has its Stamp.
func (r *Revlog) Park() error {
	if r.dec != nil {
		decompressors.Put(r.dec)
		r.dec = nil
	}
	if r.pages != nil {
		r.pages.close()
	}
	if r.data == nil {
		return nil
	}
	err := r.data.Close()
	r.data = nil
	return err
}

// changed reports whether the index file is known to be another one than was
// read.
func (r *Revlog) changed() bool {
	if !r.stamp.Exists {
		return false
	}
	now, err := store.StampOf(r.files.IndexPath())
	return err != nil || now != r.stamp
}

// Text returns the text of a revision, checked against its node; nil for
// NullRev. The bytes are kept for the next call: do not modify them. A censored
// revision is a *CensoredError.
func (r *Revlog) Text(rev node.Rev) ([]byte, error) {
	if err := r.checkFlags(rev); err != nil {
		return nil, err
	}
	if rev == r.lastRev {
		return r.lastText, nil
	}
	text, err := r.RawText(rev)
	if err != nil {
		return nil, err
	}
	if err := r.checkHash(rev, text); err != nil {
		return nil, err
	}
	r.lastRev, r.lastText = rev, text
	return text, nil
}

// RawText returns the text of a revision as stored, without a look at its flags
// and without checking it. Do not modify the bytes.
func (r *Revlog) RawText(rev node.Rev) ([]byte, error) {
	if rev == node.NullRev {
		return nil, nil
	}
	if rev < 0 || int(rev) >= r.Len() {
		return nil, r.damaged(rev, "no such revision (of %d)", r.Len())
	}
	if rev == r.lastRev {
		return r.lastText, nil
	}
	if size := r.RawSize(rev); size > MaxTextSize {
		return nil, hgerr.NewUnsupported("text of %d bytes in %s", size, r.files.Display)
	}
	base, err := r.deltaChain(rev)
	if err != nil {
		return nil, err
	}
	return r.build(rev, base)
}

// Size returns the size of a revision's text in bytes.
func (r *Revlog) Size(rev node.Rev) (int64, error) {
	if n := r.RawSize(rev); n >= 0 {
		return n, nil
	}
	text, err := r.RawText(rev)
	return int64(len(text)), err
}

// deltaChain collects in r.chain, in ascending order, the revisions whose
// chunks make rev. It returns the text that the first of them is a delta of:
// the last text, or nil when the first chunk is a text itself (or a delta of
// the empty text).
func (r *Revlog) deltaChain(rev node.Rev) ([]byte, error) {
	chain := r.chain[:0]
	var total int64
	var base []byte
	for at := rev; ; {
		if at == r.lastRev {
			base = r.lastText
			break
		}
		chain = append(chain, at)
		total += r.DataLength(at)
		if len(chain) > MaxChainLength || total > MaxChainData {
			return nil, hgerr.NewUnsupported("delta chain of more than %d revisions or %d bytes in %s",
				MaxChainLength, int64(MaxChainData), r.files.Display)
		}
		parent := r.DeltaParent(at)
		if parent == node.NullRev {
			break
		}
		if parent < 0 || parent >= at {
			return nil, r.damaged(rev, "delta base %d out of range", parent)
		}
		at = parent
	}
	slices.Reverse(chain)
	r.chain = chain
	return base, nil
}

// build makes the text of rev from r.chain.
func (r *Revlog) build(rev node.Rev, base []byte) ([]byte, error) {
	if len(r.chain) == 0 {
		return base, nil
	}
	chunks, err := r.chunks(r.chain)
	if err != nil {
		return nil, err
	}
	if r.dec == nil {
		r.dec = decompressors.Get().(*decompressor)
	}
	var total int64
	for i, at := range r.chain {
		guess := int64(4 * len(chunks[i]))
		if i == 0 {
			guess = max(guess, r.RawSize(at))
		}
		if chunks[i], err = r.dec.decompress(nil, chunks[i], guess, MaxTextSize); err != nil {
			return nil, r.damaged(at, "%v", err)
		}
		if total += int64(len(chunks[i])); total > MaxChainData {
			return nil, r.damaged(rev, "%v", errTooLarge)
		}
	}
	if base == nil && r.Base(r.chain[0]) == r.chain[0] {
		base, chunks = chunks[0], chunks[1:]
	}
	if len(chunks) == 0 {
		return base, nil
	}
	text, err := r.patcher.patch(base, chunks)
	if err != nil {
		return nil, r.damaged(rev, "%v", err)
	}
	return text, nil
}

// checkFlags refuses revisions whose text needs a processing that the engine
// does not have.
func (r *Revlog) checkFlags(rev node.Rev) error {
	flags := r.Flags(rev)
	if flags == 0 {
		return nil
	}
	known := FlagCensored | FlagHasCopies
	if h := r.Header(); h&(FlagFilelogMeta|FlagDeltaInfo) != 0 {
		if h&FlagFilelogMeta != 0 {
			known |= FlagHasMeta
		}
		if h&FlagDeltaInfo != 0 {
			known |= FlagsOfDelta
		}
	}
	if unknown := flags &^ known; unknown != 0 {
		return hgerr.NewUnsupported("revision flags %#x (%s revision %d)", unknown, r.files.Display, rev)
	}
	return nil
}

// checkHash compares a text with its node: the SHA-1 of the parents' nodes, the
// smaller first, and the text.
func (r *Revlog) checkHash(rev node.Rev, text []byte) error {
	if rev == node.NullRev {
		return nil
	}
	p1, p2 := r.Parents(rev)
	if HashText(r.Node(p1), r.Node(p2), text) == r.Node(rev) {
		return nil
	}
	if isTombstone(text) {
		return &CensoredError{Display: r.files.Display, Node: r.Node(rev), Tombstone: text}
	}
	return r.mismatch(rev)
}

// HashText returns the node of a text with the given parents.
func HashText(p1, p2 node.ID, text []byte) node.ID {
	if bytes.Compare(p1[:], p2[:]) > 0 {
		p1, p2 = p2, p1
	}
	var id node.ID
	h := sha1.New()
	h.Write(p1[:])
	h.Write(p2[:])
	h.Write(text)
	h.Sum(id[:0])
	return id
}

// isTombstone tells whether a text is what `hg censor` leaves: file metadata
// (see package filelog) with the key "censored".
func isTombstone(text []byte) bool {
	meta, ok := bytes.CutPrefix(text, []byte("\x01\n"))
	if !ok {
		return false
	}
	meta, _, ok = bytes.Cut(meta, []byte("\x01\n"))
	if !ok {
		return false
	}
	return bytes.HasPrefix(meta, []byte("censored: ")) || bytes.Contains(meta, []byte("\ncensored: "))
}
