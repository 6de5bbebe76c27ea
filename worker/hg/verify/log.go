// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/revlog"
	"hgbroker/worker/hg/store"
)

// failure is an exception of hg's that verify catches and quotes.
type failure struct {
	text     string
	storage  bool // one of hg's StorageError
	censored bool // its CensoredNodeError
}

func (f *failure) Error() string { return f.text }

// storageErrorf is a StorageError of hg's.
func storageErrorf(format string, args ...any) error {
	return &failure{text: fmt.Sprintf(format, args...), storage: true}
}

// exceptionf is any other exception.
func exceptionf(format string, args ...any) error {
	return &failure{text: fmt.Sprintf(format, args...)}
}

// errOutOfRange is what hg's index answers to a revision that it does not have.
var errOutOfRange = exceptionf("revlog index out of range")

// log is a revlog as hg sees it when parts of it make no sense: package revlog
// refuses such an index whole, hg finds out when it comes to the entry. Its
// methods fail with a *failure where hg raises an exception, in hg's words.
//
// What hg says may depend on what it had read before: texts and chunks are
// kept as each version of hg keeps them.
type log struct {
	at72       bool
	censorable bool
	sparse     bool // chains are read in slices
	zstdWords  string
	files      store.Files
	name       string // of its files without extension, not encoded: "data/a"
	display    string // what hg calls it in most messages

	entries []byte // 64 bytes a revision
	n       int
	inline  bool
	general bool
	index   []byte   // an inline index file
	data    *os.File // opened when first needed
	size    int64    // of the file that holds the chunks, -1 when it is missing
	opened  bool

	nodes finder

	// Of a revlog of version 0.
	old       bool
	indexSize int64
	byNode    map[node.ID]node.Rev

	cached     node.Rev // the text that was made last, NullRev without one
	cachedText []byte
	validated  bool

	// 7.2 keeps chunks. Beyond its smallest budget it drops some, by rules of
	// its own.
	chunks     map[node.Rev][]byte
	chunksSize int64
	chunksMax  int64
	dropped    bool
}

// smallestChunkCache is what the chunks of one revlog may have in any case, in
// bytes.
const smallestChunkCache = 65536

// openLog reads an index. A missing or empty one has no revisions.
func openLog(files store.Files, name string, o Options, censorable bool) (*log, error) {
	raw, _, err := store.ReadFile(files.IndexPath())
	if err != nil {
		return nil, err
	}
	l := &log{at72: o.At72, sparse: o.Sparse, zstdWords: o.ZstdWords, censorable: censorable, files: files, name: name, display: name, inline: true, general: true,
		cached: node.NullRev, chunks: map[node.Rev][]byte{}, chunksMax: smallestChunkCache}
	if o.At72 {
		l.display = strings.TrimPrefix(name, "data/")
	}
	if len(raw) == 0 {
		return l, nil
	}
	if len(raw) < 4 {
		return nil, exceptionf("unpack requires a buffer of 4 bytes")
	}
	header := binary.BigEndian.Uint32(raw)
	if header == 0 && name != "00changelog" {
		return l, l.readOld(raw)
	}
	if err := l.readHeader(header); err != nil {
		return nil, err
	}
	if l.inline {
		l.index = raw
		l.entries, err = l.compact(raw)
	} else if l.entries = raw; len(raw)%revlog.EntrySize != 0 {
		err = l.corrupted()
	}
	if err != nil {
		return nil, err
	}
	l.n = len(l.entries) / revlog.EntrySize
	l.nodes = newFinder(l)
	return l, nil
}

func (l *log) corrupted() error { return storageErrorf("index %s is corrupted", l.display) }

// hg7Flags are those of an index that hg 7 has more.
const hg7Flags = 3 << 18

func (l *log) readHeader(header uint32) error {
	version, flags := header&0xffff, header&^0xffff
	switch version {
	case 1:
	case 0:
		if flags == 0 {
			return hgerr.NewUnsupported("verify of a changelog of version 0")
		}
		return storageErrorf("unknown flags (0x%02x) in version 0 revlog %s", flags>>16, l.display)
	case 0xdead, 0xd34d:
		return hgerr.NewUnsupported("verify of a revlog of version %#x", version)
	default:
		return storageErrorf("unknown version (%d) in revlog %s", version, l.display)
	}
	if odd := flags &^ (revlog.FlagInline | revlog.FlagGeneralDelta); odd != 0 {
		if l.at72 && odd&^hg7Flags == 0 {
			return hgerr.NewUnsupported("verify of a revlog with the flags %#x", flags>>16)
		}
		return storageErrorf("unknown flags (0x%02x) in version 1 revlog %s", flags>>16, l.display)
	}
	l.inline, l.general = flags&revlog.FlagInline != 0, flags&revlog.FlagGeneralDelta != 0
	return nil
}

// compact copies the entries of an inline index.
func (l *log) compact(raw []byte) ([]byte, error) {
	entries := make([]byte, 0, revlog.EntrySize*8)
	pos := int64(0)
	for pos+revlog.EntrySize <= int64(len(raw)) {
		entries = append(entries, raw[pos:pos+revlog.EntrySize]...)
		pos += revlog.EntrySize + int64(binary.BigEndian.Uint32(raw[pos+8:]))
	}
	if pos != int64(len(raw)) {
		return nil, l.corrupted()
	}
	return entries, nil
}

// close closes the data file.
func (l *log) close() {
	if l.data != nil {
		l.data.Close()
		l.data = nil
	}
}

// nullEntry is the entry of NullRev.
var nullEntry = func() []byte {
	e := make([]byte, revlog.EntrySize)
	for i := 16; i < 32; i++ {
		e[i] = 0xff
	}
	return e
}()

// entry returns the 64 bytes of a revision; ok is false when hg's index has none.
func (l *log) entry(rev node.Rev) (e []byte, ok bool) {
	if rev == node.NullRev {
		return nullEntry, true
	}
	if rev < 0 || int(rev) >= l.n {
		return nil, false
	}
	return l.entries[int(rev)*revlog.EntrySize:][:revlog.EntrySize], true
}

// number reads a field of a revision that is there.
func (l *log) number(rev node.Rev, at int) int64 {
	e, ok := l.entry(rev)
	if !ok {
		e = nullEntry
	}
	return int64(int32(binary.BigEndian.Uint32(e[at:])))
}

func (l *log) start(rev node.Rev) int64 {
	e, ok := l.entry(rev)
	if rev < 0 || rev == 0 && !l.old || !ok {
		return 0
	}
	return int64(binary.BigEndian.Uint64(e) >> 16)
}

func (l *log) length(rev node.Rev) int64      { return l.number(rev, 8) }
func (l *log) rawSize(rev node.Rev) int64     { return l.number(rev, 12) }
func (l *log) base(rev node.Rev) node.Rev     { return node.Rev(l.number(rev, 16)) }
func (l *log) linkRev(rev node.Rev) node.Rev  { return node.Rev(l.number(rev, 20)) }
func (l *log) firstParent(rev node.Rev) int64 { return l.number(rev, 24) }

func (l *log) flags(rev node.Rev) uint16 {
	e, ok := l.entry(rev)
	if !ok {
		return 0
	}
	return binary.BigEndian.Uint16(e[6:])
}

func (l *log) node(rev node.Rev) (id node.ID) {
	if e, ok := l.entry(rev); ok {
		copy(id[:], e[32:52])
	}
	return id
}

// deltaParent is the revision that the chunk is a delta of, as hg has it.
func (l *log) deltaParent(rev node.Rev) node.Rev {
	switch base := l.base(rev); {
	case base == rev:
		return node.NullRev
	case l.general:
		return base
	}
	return rev - 1
}

// rev finds a node.
func (l *log) rev(id node.ID) (node.Rev, error) {
	if rev, ok := l.byNode[id]; ok {
		return rev, nil
	}
	if id.IsNull() {
		return node.NullRev, nil
	}
	if l.n > 0 && !l.old {
		if rev, ok := l.nodes.find(id); ok {
			return rev, nil
		}
	}
	if id == wdirNode || slices.Contains(wdirFileNodes, id) {
		return 0, hgerr.NewUnsupported("verify of a store that holds the node of the working directory")
	}
	return 0, storageErrorf("%s@%s: no node", l.display, id.Hex())
}

// Nodes that stand for the working directory and for what was changed in it.
var (
	wdirNode      = node.ID([]byte(strings.Repeat("\xff", 20)))
	wdirFileNodes = []node.ID{node.ID([]byte("000000000000modified")), node.ID([]byte("000000000000000added")), node.ID([]byte(strings.Repeat("!", 20)))}
)

// parents returns the nodes of the parents of the revision that a node is
// found at.
func (l *log) parents(id node.ID) (p1, p2 node.ID, err error) {
	rev, err := l.rev(id)
	if err != nil {
		return p1, p2, err
	}
	r1, r2 := node.Rev(l.number(rev, 24)), node.Rev(l.number(rev, 28))
	for _, r := range []node.Rev{r1, r2} {
		if _, ok := l.entry(r); !ok {
			return p1, p2, errOutOfRange
		}
	}
	return l.node(r1), l.node(r2), nil
}

// filesOf names the files of the revlog, as the fncache does.
func (l *log) filesOf() []string {
	if l.inline {
		return []string{l.name + ".i"}
	}
	return []string{l.name + ".i", l.name + ".d"}
}

// checkSize tells how many bytes the files have beside what the index says.
func (l *log) checkSize() (data, index int64, err error) {
	var expected int64
	if l.n > 0 {
		last := node.Rev(l.n - 1)
		expected = max(0, l.start(last)+l.length(last))
	}
	fi, err := os.Stat(l.files.DataPath())
	switch {
	case err == nil:
		data = fi.Size() - expected
	case !os.IsNotExist(err):
		return 0, 0, err
	}
	if l.old {
		index = l.indexSize % oldEntry
	}
	if l.inline {
		data = 0
		index = int64(len(l.index)) - int64(l.n)*revlog.EntrySize
		for rev := range node.Rev(l.n) {
			index -= max(0, l.length(rev))
		}
	}
	return data, index, nil
}

// finder looks nodes up as hg's index does. It matters when a node comes twice.
//
// The first few nodes are looked for from the end, and only those found are
// remembered. From then on, everything that is passed on the way is, and what
// comes last, the earliest revision, stays.
type finder struct {
	log    *log
	known  map[node.ID]node.Rev
	next   node.Rev // everything from here on is known
	misses int
}

func newFinder(l *log) finder {
	return finder{log: l, known: map[node.ID]node.Rev{}, next: node.Rev(l.n)}
}

// patience is how many nodes are looked for before the others are remembered.
const patience = 4

func (f *finder) find(id node.ID) (node.Rev, bool) {
	if rev, ok := f.known[id]; ok {
		return rev, true
	}
	few := f.misses < patience
	f.misses++
	for rev := f.next - 1; rev >= 0; rev-- {
		at := f.log.node(rev)
		if !few {
			f.known[at] = rev
			f.next = rev
		}
		if at == id {
			f.known[id] = rev
			return rev, true
		}
	}
	return 0, false
}

// pythonBytes is how Python shows bytes.
func pythonBytes(s string) string {
	var b strings.Builder
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b.WriteByte('b')
	b.WriteByte(quote)
	for i := range len(s) {
		switch c := s[i]; {
		case c == quote || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c > '~':
			b.WriteString(`\x` + hex.EncodeToString([]byte{c}))
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte(quote)
	return b.String()
}
