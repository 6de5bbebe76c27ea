// SPDX-License-Identifier: GPL-2.0-or-later

package revset

import (
	"slices"

	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
)

// FileHistories is an optional part of a Repo for filelog().
type FileHistories interface {
	// FileRevs lists the revisions of a file, oldest first; none for what was
	// never a file.
	FileRevs(path string) ([]FileRev, error)
	// FileNode is the revision of a file in a changeset, node.Null without it.
	FileNode(rev node.Rev, path string) (node.ID, error)
	// WorkingFiles lists the files that the working directory has.
	WorkingFiles() ([]string, error)
}

// FileRev is a revision of a file, and the changeset that brought it first.
type FileRev struct {
	Node node.ID
	Link node.Rev
}

// filelog is the changesets that the revisions of files are linked to.
func filelog(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	p, err := getString(x, "filelog requires a pattern")
	if err != nil {
		return nil, err
	}
	histories, ok := ev.repo.(FileHistories)
	manifests, canCanon := ev.repo.(Manifests)
	if !ok || !canCanon {
		return nil, hgerr.NewUnsupported("revset filelog()")
	}
	var files []string
	switch ev.patternKind(p) {
	case "":
		path, err := manifests.CanonPath(p)
		if err != nil {
			return nil, err
		}
		files = []string{path}
	default:
		match, err := ev.matcher(FileQuery{Patterns: []string{p}, Default: "glob"}, node.WdirRev)
		if err != nil {
			return nil, err
		}
		if files, err = histories.WorkingFiles(); err != nil {
			return nil, err
		}
		files = slices.DeleteFunc(slices.Clone(files), func(f string) bool { return !match(f) })
	}
	var revs []node.Rev
	for _, f := range files {
		if revs, err = ev.linked(revs, histories, f); err != nil {
			return nil, err
		}
	}
	return ev.withRevs(subset, revs), nil
}

// linked appends the visible changesets of the revisions of one file. A
// revision whose own changeset is hidden may have been made again by a later
// one, for which all that follow are searched, until one search is in vain.
func (ev *evaluator) linked(revs []node.Rev, histories FileHistories, path string) ([]node.Rev, error) {
	list, err := histories.FileRevs(path)
	if err != nil {
		return nil, err
	}
	known := map[node.ID]node.Rev{}
	from, search := node.Rev(0), true
	for _, f := range list {
		if r, ok := known[f.Node]; ok {
			revs = append(revs, r)
			continue
		}
		if f.Link >= 0 && int(f.Link) < ev.repo.Len() && !ev.hidden(f.Link) {
			revs = append(revs, f.Link)
			continue
		}
		if !search {
			continue
		}
		search = false
		for r := max(f.Link, from) + 1; int(r) < ev.repo.Len() && !ev.stopped(); r++ {
			if ev.hidden(r) {
				continue
			}
			files, err := ev.repo.Files(r)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(files, path) {
				continue
			}
			id, err := histories.FileNode(r, path)
			if err != nil {
				return nil, err
			}
			if _, ok := known[id]; ok || id.IsNull() {
				continue
			}
			if id == f.Node {
				revs = append(revs, r)
				from, search = r, true
				break
			}
			known[id] = r
		}
	}
	return revs, ev.err
}

// subrepoFile is where the states of subrepositories are recorded.
const subrepoFile = ".hgsubstate"

// Subrepos is an optional part of a Repo for subrepo() and matching().
type Subrepos interface {
	// Substate is the recorded state of each subrepository in a changeset, by
	// path; what is compared is opaque.
	Substate(rev node.Rev) (map[string]string, error)
}

// subrepo is the changesets that change the recorded states, of all
// subrepositories or of those that a pattern matches.
func subrepo(ev *evaluator, subset smartset, x *Tree, _ order) (smartset, error) {
	args, err := getArgs(x, 0, 1, "subrepo takes at most one argument")
	if err != nil {
		return nil, err
	}
	text, named := "", len(args) > 0
	if named {
		if text, err = getString(args[0], "subrepo requires a pattern"); err != nil {
			return nil, err
		}
	}
	status, ok := ev.repo.(StatusReader)
	states, haveStates := ev.repo.(Subrepos)
	if !ok || !haveStates {
		return nil, hgerr.NewUnsupported("revset subrepo()")
	}
	var p *pattern
	isSub := func(f string) bool { return f == subrepoFile }
	return ev.filter(subset, func(r node.Rev) (bool, error) {
		if r == node.WdirRev {
			return false, hgerr.NewUnsupported("subrepo() within wdir()")
		}
		files, err := ev.repo.Files(r)
		if err != nil || !slices.Contains(files, subrepoFile) && !ev.isMergeRev(r) {
			return false, err
		}
		modified, added, removed, err := status.ChangedFiles(r)
		if err != nil {
			return false, err
		}
		isModified, isAdded, isRemoved := slices.ContainsFunc(modified, isSub), slices.ContainsFunc(added, isSub), slices.ContainsFunc(removed, isSub)
		if !isModified && !isAdded && !isRemoved || !named {
			return isModified || isAdded || isRemoved, nil
		}
		if p == nil {
			if p, err = ev.pattern(text, true); err != nil {
				return false, err
			}
		}
		p1, _ := ev.parents(r)
		var before, after map[string]string
		if !isAdded {
			if before, err = states.Substate(p1); err != nil {
				return false, err
			}
		}
		if !isRemoved {
			if after, err = states.Substate(r); err != nil {
				return false, err
			}
		}
		for path, state := range after {
			if old, ok := before[path]; p.match(path) && (!isModified || !ok || old != state) {
				return true, nil
			}
		}
		for path := range before {
			if _, ok := after[path]; p.match(path) && !ok {
				return true, nil
			}
		}
		return false, nil
	}), nil
}

func (ev *evaluator) isMergeRev(r node.Rev) bool {
	_, p2 := ev.parents(r)
	return p2 != node.NullRev
}
