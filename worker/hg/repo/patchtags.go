// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/mq"
)

// addPatchTags gives the patches that the extension mq has applied their tags, when
// it is enabled: each its name, the topmost and the lowest one qtip and qbase, and
// what is below them qparent. They are of no type. It tells whether there are any.
func (v *View) addPatchTags() (bool, error) {
	if !v.HasQueue() {
		return false, nil
	}
	q, err := mq.Read(v.Layout.Dot)
	if err != nil || len(q.Applied) == 0 {
		return false, err
	}
	var list []Tag
	for i, a := range q.Applied {
		rev, ok := v.snap.Rev(a.Node)
		if !ok && i == len(q.Applied)-1 {
			return false, hgerr.NewUnsupported("an applied patch of mq without its changeset")
		}
		if ok && rev >= 0 && !v.Hidden(rev) {
			list = append(list, Tag{Name: a.Name, Node: a.Node, Rev: rev})
		}
	}
	if len(list) == 0 {
		return false, nil
	}
	bottom, top := list[0], list[len(list)-1]
	parent, _ := v.Parents(bottom.Rev)
	list = append(list, Tag{Name: "qtip", Node: top.Node, Rev: top.Rev}, Tag{Name: "qbase", Node: bottom.Node, Rev: bottom.Rev},
		Tag{Name: "qparent", Node: v.Node(parent), Rev: parent})
	for _, t := range list {
		if _, taken := v.names.tagByName[t.Name]; taken {
			return false, hgerr.NewUnsupported("a tag that overrides a patch of mq")
		}
		for i := range len(t.Name) {
			if t.Name[i] >= 0x80 {
				return false, hgerr.NewUnsupported("a patch of mq with a name beyond ASCII")
			}
		}
		t.UTF8 = t.Name
		v.names.tagByName[t.Name] = t
	}
	return true, nil
}

// HasQueue tells whether mq is enabled.
func (v *View) HasQueue() bool {
	on := v.Config.Extensions()
	_, short := on["mq"]
	_, long := on["hgext.mq"]
	return short || long
}
