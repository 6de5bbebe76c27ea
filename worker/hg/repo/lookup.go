// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
)

// errAmbiguous says that several nodes begin with a prefix.
var errAmbiguous = errors.New("ambiguous identifier")

// Lookup resolves one symbol as hg does (scmutil.revsymbol): the special names,
// then a revision number, forty digits, a name, a prefix of a node. Errors are
// hg's.
func (v *View) Lookup(symbol string) (node.Rev, error) {
	rev, err := v.lookup(symbol)
	if err != nil {
		return node.NullRev, err
	}
	if symbol != "." && rev >= 0 && rev != node.WdirRev && v.Hidden(rev) {
		return node.NullRev, v.hiddenError(symbol, rev)
	}
	return rev, nil
}

// lookup is Lookup without regard to what is hidden, but for names, which
// never name anything hidden.
func (v *View) lookup(symbol string) (node.Rev, error) {
	switch symbol {
	case ".":
		p1, _ := v.wdir()
		return p1, nil
	case "tip":
		return v.Tip(), nil
	case "null":
		return node.NullRev, nil
	}
	if n, err := strconv.ParseInt(symbol, 10, 64); err == nil && strconv.FormatInt(n, 10) == symbol {
		if n < 0 {
			n += int64(v.Len())
		}
		if n >= 0 && (n < int64(v.Len()) || n == int64(node.WdirRev)) {
			return node.Rev(n), nil
		}
	}
	if id, ok := node.FromHex(symbol); ok {
		if rev, ok := v.Rev(id); ok {
			return rev, nil
		}
	}
	if rev, ok, err := v.named(symbol); err != nil || ok {
		return rev, err
	}
	rev, ok, err := v.prefix(symbol)
	if err != nil {
		return node.NullRev, ambiguous(symbol)
	}
	if !ok {
		return node.NullRev, hgerr.Abortf(hgerr.UnknownRevision, "unknown revision '%s'", symbol)
	}
	return rev, nil
}

// LookupPrefix resolves a hexadecimal prefix only, as the revset predicate id()
// does.
func (v *View) LookupPrefix(prefix string) (node.Rev, bool, error) {
	rev, ok, err := v.prefix(prefix)
	if err != nil {
		return node.NullRev, false, ambiguous(prefix)
	}
	if ok && rev >= 0 && rev != node.WdirRev && v.Hidden(rev) {
		return node.NullRev, false, v.hiddenError(prefix, rev)
	}
	return rev, ok, nil
}

// prefix finds the one ID in the store, hidden ones included, that begins with
// digits; an "x" in front is allowed. The null ID and the working directory's
// forty f's take part.
func (v *View) prefix(symbol string) (node.Rev, bool, error) {
	digits := strings.ToLower(strings.TrimPrefix(symbol, "x"))
	if len(digits) > node.HexSize || strings.Trim(digits, "0123456789abcdef") != "" {
		return node.NullRev, false, nil
	}
	if digits == "" {
		// hg's table takes no empty key, and its slow path then meets every node.
		return node.NullRev, false, errAmbiguous
	}
	found := v.snap.Prefix(digits, 2)
	if strings.Trim(digits, "0") == "" {
		found = append(found, node.NullRev)
	}
	if strings.Trim(strings.TrimPrefix(symbol, "x"), "f") == "" {
		found = append(found, node.WdirRev)
	}
	switch len(found) {
	case 0:
		return node.NullRev, false, nil
	case 1:
		return found[0], true, nil
	}
	return node.NullRev, false, errAmbiguous
}

// ambiguous is hg's abort about a prefix of several nodes. A prefix of twenty
// digits it takes for a binary node, and shortens it.
func ambiguous(symbol string) error {
	prefix := strings.TrimPrefix(symbol, "x")
	if len(prefix) == node.Size {
		prefix = hex.EncodeToString([]byte(prefix[:6]))
	}
	a := hgerr.Abortf(hgerr.AmbiguousRevision, "00changelog@%s: ambiguous identifier", prefix)
	a.Detailed = hgerr.DetailedStorage
	return a
}

// hiddenError is hg's abort about a changeset that is hidden, with the reason
// when it is obsolete.
func (v *View) hiddenError(symbol string, rev node.Rev) error {
	a := hgerr.Abortf(hgerr.HiddenRevision, "hidden revision '%s'", symbol)
	if v.flags(rev)&obsolete.Obsolete != 0 {
		sets, err := obsolete.NewestSuccessors(v.snap.Markers(), v.Node(rev), v.seen)
		switch {
		case err != nil:
			return err
		case len(sets) == 0:
			a.Message += " is pruned"
		case len(sets) > 1:
			a.Message += " has diverged"
		case len(sets[0].Nodes) == 1:
			a.Message += " was rewritten as: " + sets[0].Nodes[0].Short()
		default:
			a.Message += " was split as: " + sets[0].Nodes[0].Short() + ", " + sets[0].Nodes[1].Short()
			if more := len(sets[0].Nodes) - 2; more > 0 {
				a.Message += " and " + strconv.Itoa(more) + " more"
			}
		}
	}
	return a.WithHint("use --hidden to access hidden revisions")
}

// HashLike returns the hidden changesets that symbols name by a hash, or, when
// numbers are allowed, by number: what a command may show although it is hidden
// (scmutil.unhidehashlikerevs with experimental.directaccess).
func (v *View) HashLike(symbols []string, numbers bool) []node.Rev {
	if v.HiddenCount() == 0 {
		return nil
	}
	var out []node.Rev
	for _, s := range symbols {
		if n, err := strconv.Atoi(s); err == nil && n < v.Len() {
			if numbers && n >= 0 && v.Hidden(node.Rev(n)) {
				out = append(out, node.Rev(n))
			}
			continue
		}
		if rev, ok, err := v.prefix(s); err == nil && ok && rev >= 0 && rev != node.WdirRev && v.Hidden(rev) {
			out = append(out, rev)
		}
	}
	return out
}
