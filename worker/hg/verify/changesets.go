// SPDX-License-Identifier: GPL-2.0-or-later

package verify

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// readChangesets reads every changeset.
func (x *examiner) readChangesets() error {
	x.say(Status, "checking changesets\n")
	l := x.changelog
	if err := x.checkLog(l, "changelog"); err != nil {
		return err
	}
	if x.opts.At72 && l.n > 0 && !l.inline {
		if _, err := os.Stat(l.files.DataPath()); os.IsNotExist(err) {
			return hgerr.Abortf(hgerr.Other, "No such file or directory: '%s'", l.files.DataPath())
		}
	}
	if l.repeats() {
		return hgerr.NewUnsupported("verify of a changelog with a changeset that comes twice")
	}
	seen := map[node.ID]node.Rev{}
	for rev := range node.Rev(l.n) {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		id := l.node(rev)
		if _, err := x.checkEntry(l, rev, id, seen, []node.Rev{rev}, "changelog"); err != nil {
			return err
		}
		c, err := readChangeset(l, id)
		if err != nil {
			x.refers = true
			if err := x.exception(rev, "unpacking changeset "+id.Short(), err, ""); err != nil {
				return err
			}
			continue
		}
		if c.manifest != string(node.Null[:]) {
			x.manifestRevs[c.manifest] = append(x.manifestRevs[c.manifest], rev)
			x.refers = true
		}
		for _, path := range c.files {
			path = plainPath(path)
			x.changed[path] = append(x.changed[path], rev)
		}
	}
	return nil
}

// repeats reports whether a node comes twice. What hg finds then depends on
// what it looked for before.
func (l *log) repeats() bool {
	seen := make(map[node.ID]struct{}, l.n)
	for rev := range node.Rev(l.n) {
		seen[l.node(rev)] = struct{}{}
	}
	return len(seen) != l.n
}

// changeset is what verify wants of one.
type changeset struct {
	manifest string // bytes of the node, of whatever length
	files    []string
}

// readChangeset reads a changeset whole, as hg does, so that everything that is
// wrong with it shows.
func readChangeset(l *log, id node.ID) (changeset, error) {
	text, err := l.text(id)
	if err != nil {
		return changeset{}, err
	}
	if len(text) == 0 {
		return changeset{manifest: string(node.Null[:])}, nil
	}
	c, err := changelog.Parse(text)
	if err != nil {
		return changeset{}, exceptionf("subsection not found")
	}
	line, rest, _ := bytes.Cut(text, []byte{'\n'})
	_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	date, _, _ := bytes.Cut(rest, []byte{'\n'})
	manifest, err := unhex(string(line))
	if err != nil {
		return changeset{}, err
	}
	fields := strings.SplitN(string(date), " ", 3)
	if err := checkFloat(fields[0]); err != nil {
		return changeset{}, err
	}
	if len(fields) < 2 {
		return changeset{}, exceptionf("list index out of range")
	}
	if _, err := c.Extras(); err != nil {
		if strings.Contains(fields[2], `\`) {
			return changeset{}, hgerr.NewUnsupported("verify of a changeset with a wrong escape")
		}
		return changeset{}, exceptionf("not enough values to unpack (expected 2, got 1)")
	}
	return changeset{string(manifest), c.FileList()}, nil
}

// checkFloat fails as Python's float does.
func checkFloat(text string) error {
	plain := strings.Trim(text, " \t\n\v\f\r")
	_, err := strconv.ParseFloat(plain, 64)
	var odd bool
	if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
		err = nil
	}
	if odd = strings.Contains(plain, "_"); odd {
		return hgerr.NewUnsupported("verify of a changeset of the date %q", text)
	}
	if err != nil || strings.ContainsAny(plain, "xXpP") {
		return exceptionf("could not convert string to float: %s", pythonBytes(text))
	}
	return nil
}
