// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/manifest"
	"hgbroker/worker/hg/node"
)

// readManifests reads what each manifest adds to the one that it is stored as a
// delta of, and collects the file revisions that they name.
func (x *examiner) readManifests() error {
	x.say(Status, "checking manifests\n")
	l := x.manifests
	if x.refers {
		if err := x.checkLog(l, "manifest"); err != nil {
			return err
		}
	}
	seen := map[node.ID]node.Rev{}
	for rev := range node.Rev(l.n) {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		id := l.node(rev)
		key := string(id[:])
		link, err := x.checkEntry(l, rev, id, seen, x.manifestRevs[key], "manifest")
		if err != nil {
			return err
		}
		if _, ok := x.manifestRevs[key]; !ok {
			x.err(link, id.Short()+" not in changesets", "manifest")
		}
		delete(x.manifestRevs, key)
		if err := x.readEntries(id, link); err != nil {
			if err := x.exception(link, "reading delta "+id.Short(), err, "manifest"); err != nil {
				return err
			}
		}
		if x.opts.Full {
			if _, err := x.fullManifest(id); err != nil {
				if err := x.exception(link, "reading full manifest "+id.Short(), err, "manifest"); err != nil {
					return err
				}
			}
		}
	}
	if l.n > 0 {
		x.missingManifests()
	}
	return nil
}

// missingManifests tells which ones changesets name that are not there.
func (x *examiner) missingManifests() {
	type pair struct {
		rev node.Rev
		id  string
	}
	var missing []pair
	for id, revs := range x.manifestRevs {
		for _, rev := range revs {
			missing = append(missing, pair{rev, id})
		}
	}
	slices.SortFunc(missing, func(a, b pair) int { return cmp.Or(cmp.Compare(a.rev, b.rev), cmp.Compare(a.id, b.id)) })
	for _, m := range missing {
		x.err(m.rev, "changeset refers to unknown revision "+shortHex(m.id), "manifest")
	}
}

func shortHex(id string) string {
	var whole node.ID
	n := copy(whole[:], id)
	return whole.Short()[:2*min(n, 6)]
}

// readEntries collects what a manifest adds.
func (x *examiner) readEntries(id node.ID, link node.Rev) error {
	l := x.manifests
	rev, err := l.rev(id)
	if err != nil {
		return err
	}
	text, err := l.added(rev)
	if err != nil {
		return err
	}
	lines, err := manifestLines(text)
	if err != nil {
		return err
	}
	for _, line := range lines {
		path, file, flag, err := parseEntry(line)
		if err != nil {
			return err
		}
		if path == "/dev/null" {
			continue
		}
		if flag == 't' {
			return hgerr.NewUnsupported("verify of a manifest that holds another one")
		}
		path = plainPath(path)
		if x.named[path] == nil {
			x.named[path] = map[node.ID]node.Rev{}
		}
		if _, ok := x.named[path][file]; !ok {
			x.named[path][file] = link
		}
	}
	return nil
}

// added is the text that a revision adds: all of it when it is stored whole.
func (l *log) added(rev node.Rev) ([]byte, error) {
	if parent := l.deltaParent(rev); parent != node.NullRev {
		delta, err := l.chunk(rev)
		if err != nil {
			return nil, err
		}
		return patchText(delta)
	}
	if !l.at72 {
		return l.revision(l.node(rev), &rev, true, true)
	}
	if l.flags(rev)&^neutralFlags != 0 {
		return l.revision(l.node(rev), &rev, true, false)
	}
	// The text that was kept is the base of this one even if it is the same.
	if l.cached == rev {
		return l.cachedText, nil
	}
	return l.build(rev)
}

// patchText is what a delta inserts.
func patchText(delta []byte) ([]byte, error) {
	var out []byte
	for pos := 0; pos < len(delta); {
		if len(delta)-pos < 12 {
			return nil, exceptionf("unpack requires a buffer of 12 bytes")
		}
		n := int(int32(binary.BigEndian.Uint32(delta[pos+8:])))
		if n < 0 {
			return nil, hgerr.NewUnsupported("verify of a delta that runs backwards")
		}
		pos += 12
		out = append(out, delta[min(pos, len(delta)):min(pos+n, len(delta))]...)
		pos += n
	}
	return out, nil
}

// manifestLines splits a manifest.
func manifestLines(text []byte) ([][]byte, error) {
	var lines [][]byte
	var before []byte
	for len(text) > 0 {
		if text[0] == 0 {
			return nil, exceptionf("Manifest had an entry with a zero-length filename.")
		}
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return nil, exceptionf("Manifest did not end in a newline.")
		}
		if end < 42 {
			return nil, exceptionf("Manifest had implausibly-short line.")
		}
		// hg compares what stands in memory up to a zero byte, which may be in
		// another line.
		if before != nil && bytes.Compare(upToZero(before), upToZero(text)) >= 0 {
			return nil, exceptionf("Manifest lines not in sorted order.")
		}
		lines = append(lines, text[:end+1])
		before, text = text, text[end+1:]
	}
	return lines, nil
}

func upToZero(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

// parseEntry takes a line with its newline apart.
func parseEntry(line []byte) (path string, id node.ID, flag byte, err error) {
	n := bytes.IndexByte(line, 0)
	if n < 0 {
		n = len(line)
	}
	if n+1+40+1 > len(line) {
		return "", id, 0, exceptionf("manifest line too short")
	}
	size := len(line) - n - 2
	switch line[n+size] {
	case 'l', 't', 'x':
		flag = line[n+size]
		size--
	}
	if size != 40 {
		if size == 64 {
			return "", id, 0, hgerr.NewUnsupported("verify of a manifest with longer nodes")
		}
		return "", id, 0, exceptionf("invalid node length in manifest")
	}
	for i := range id {
		hi, ok1 := hexDigit(line[n+1+2*i])
		lo, ok2 := hexDigit(line[n+2+2*i])
		if !ok1 || !ok2 {
			return "", id, 0, exceptionf("input contains non-hex character")
		}
		id[i] = hi<<4 | lo
	}
	return string(line[:n]), id, flag, nil
}

// fullManifest reads a manifest whole. hg believes its cache of them.
func (x *examiner) fullManifest(id node.ID) ([][]byte, error) {
	if id.IsNull() {
		return nil, nil
	}
	text, ok := x.fullTexts.find(id)
	if !ok {
		var err error
		if text, err = x.manifests.text(id); err != nil {
			return nil, err
		}
		x.fullTexts.add(id, text)
	}
	return manifestLines(text)
}

// changesetManifest reads the manifest of a changeset whole.
func (x *examiner) changesetManifest(clrev node.Rev) ([][]byte, error) {
	if clrev == node.NullRev {
		return nil, nil
	}
	c, err := readChangeset(x.changelog, x.changelog.node(clrev))
	if err != nil {
		return nil, err
	}
	id, ok := node.FromBytes([]byte(c.manifest))
	if !ok {
		return nil, hgerr.NewUnsupported("verify of the parents of a changeset with an odd manifest")
	}
	if id.IsNull() {
		return nil, nil
	}
	if _, err := x.manifests.rev(id); err != nil {
		return nil, err
	}
	return x.fullManifest(id)
}

// manifestOf is that for whoever compares it with something else. Where hg
// cannot read it, hg ends.
func (x *examiner) manifestOf(clrev node.Rev) (manifest.Manifest, error) {
	lines, err := x.changesetManifest(clrev)
	if f, ok := err.(*failure); ok {
		err = hgerr.NewUnsupported("verify of a working directory without its manifest (%s)", f.text)
	}
	if err != nil {
		return manifest.Manifest{}, err
	}
	return manifest.Parse(bytes.Join(lines, nil))
}

// holds reports whether a changeset's manifest has a file.
func (x *examiner) holds(clrev node.Rev, path string) (bool, error) {
	lines, err := x.changesetManifest(clrev)
	if err != nil {
		return false, err
	}
	for _, line := range lines {
		if bytes.HasPrefix(line, []byte(path)) && len(line) > len(path) && line[len(path)] == 0 {
			return true, nil
		}
	}
	return false, nil
}
