// SPDX-License-Identifier: GPL-2.0-or-later

package repo

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"hgbroker/worker/hg/changelog"
	"hgbroker/worker/hg/encoding"
	"hgbroker/worker/hg/hgerr"
	"hgbroker/worker/hg/node"
	"hgbroker/worker/hg/obsolete"
	"hgbroker/worker/hg/phases"
)

// Topics are names for lines of work that the extension topic adds: a changeset
// that is not public may have one in its extra "topic", and the working directory
// has one in .hg/topic. To that extension a branch with a topic is a branch of its
// own, with heads of its own, that is named by both: "default:fix" before release 1.0,
// and "default//fix" since.

// topical is what is known of topics in one visibility.
type topical struct {
	last map[string]node.Rev // the highest changeset of each topic, by its stored name
	of   map[node.Rev]int    // the place in branches of each changeset with a topic
	// branches are the names of branches with topics, as the extension puts them.
	branches  []string
	branchmap *branchmap // nil until it is asked for

	release  string // of the extension, which the names depend on
	encoding *encoding.Encoding
}

// topicAlias is a name that the extension takes for a place in a stack.
var topicAlias = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[st][0-9]+$`) })

// topicOf finds a changeset's topic, as stored, whether or not it is public, and the
// namespace that it has in a later release.
func topicOf(c changelog.Changeset) (topic, space string, err error) {
	list, err := c.Extras()
	for _, x := range list {
		switch x.Key {
		case "topic":
			topic = x.Value
		case "topic-namespace":
			space = x.Value
		}
	}
	return topic, space, err
}

// joined is the name of a branch with a topic.
func (v *View) joined(branch, space, topic string) string {
	switch {
	case strings.HasPrefix(v.Topics, "0.") && topic == "":
		return branch
	case strings.HasPrefix(v.Topics, "0."):
		return branch + ":" + topic
	case topic == "":
		return branch
	case space != "" && space != "none":
		return branch + "//" + space + "/" + topic
	}
	return branch + "//" + topic
}

// topics looks at what is visible and not public.
func (v *View) topics() (*topical, error) {
	known := v.known()
	if t := known.topics; t != nil && t.encoding == v.Encoding && t.release == v.Topics {
		return t, nil
	}
	out := &topical{last: map[string]node.Rev{}, of: map[node.Rev]int{}, release: v.Topics, encoding: v.Encoding}
	at := map[string]int{}
	for rev := v.snap.FirstMutable(); int(rev) < v.Len(); rev++ {
		if v.Hidden(rev) || v.PhaseOf(rev) == phases.Public {
			continue
		}
		c, err := v.Changeset(rev)
		if err != nil {
			return nil, err
		}
		topic, space, err := topicOf(c)
		if err != nil {
			return nil, err
		}
		if topic == "" {
			continue
		}
		branch, _, err := BranchOf(c)
		if err != nil {
			return nil, err
		}
		name := v.joined(v.local(branch), space, topic)
		place, ok := at[name]
		if !ok {
			place = len(out.branches)
			at[strings.Clone(name)] = place
			out.branches = append(out.branches, strings.Clone(name))
		}
		out.last[strings.Clone(topic)] = rev
		out.of[rev] = place
	}
	known.topics = out
	return out, nil
}

// topicNamed resolves a name that only the extension knows.
func (v *View) topicNamed(name string) (node.Rev, bool, error) {
	if topicAlias().MatchString(name) {
		return node.NullRev, false, hgerr.NewUnsupported("a place in a stack of topics")
	}
	known, err := v.topics()
	if err != nil {
		return node.NullRev, false, err
	}
	rev, ok := known.last[name]
	return rev, ok, nil
}

// refuseSlashes refuses branches whose own names look like those with a topic.
func (v *View) refuseSlashes(names []string) error {
	for _, name := range names {
		if v.Topics != "" && strings.Contains(name, "//") {
			return hgerr.NewUnsupported("a branch with // in its name beside topics")
		}
	}
	return nil
}

// TopicBranch is the name of a changeset's branch with its topic, which is that of
// the branch alone without the extension.
func (v *View) TopicBranch(rev node.Rev) (string, error) {
	if rev == node.WdirRev {
		if v.Topics == "" {
			return v.WdirBranch(), nil
		}
		topic, space, err := v.wdirTopic()
		if err != nil {
			return "", err
		}
		return v.joined(v.WdirBranch(), space, topic), v.refuseSlashes([]string{v.WdirBranch()})
	}
	if v.Topics != "" {
		known, err := v.topics()
		if err != nil {
			return "", err
		}
		if at, ok := known.of[rev]; ok {
			return known.branches[at], nil
		}
	}
	name, _ := Revsets{View: v}.Branch(rev)
	return name, nil
}

// TopicBranchOf is the name of a branch as the revset branch() sees it, which before
// release 1.0 is the branch's own.
func (v Revsets) TopicBranchOf(rev node.Rev) string {
	if rev < 0 || rev == node.WdirRev || strings.HasPrefix(v.Topics, "0.") {
		name, _ := v.Branch(rev)
		return name
	}
	name, err := v.TopicBranch(rev)
	if err != nil && v.Repo.unsaid == nil {
		v.Repo.unsaid = err
	}
	return name
}

// TopicNames are the topics that are in use, the current one included.
func (v *View) TopicNames() ([]string, error) {
	known, err := v.topics()
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(known.last))
	current, err := v.CurrentTopic()
	if current != "" {
		names = append(names, current)
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// CurrentTopic is the topic that a commit would get, "" for none.
func (v *View) CurrentTopic() (string, error) {
	topic, _, err := v.wdirTopic()
	return topic, err
}

func (v *View) wdirTopic() (topic, space string, err error) {
	stored, err := text(v.Layout.Dot + "/topic")
	if err != nil {
		return "", "", err
	}
	in, err := text(v.Layout.Dot + "/topic-namespace")
	if len(in) == 0 {
		in = []byte("none")
	}
	return v.local(string(stored)), v.local(string(in)), err
}

// wdirTopics are the extras that the extension gives the working directory.
func (v *View) wdirTopics() (list [][2]string, err error) {
	topic, space, err := v.wdirTopic()
	list = append(list, [2]string{"topic", topic})
	if !strings.HasPrefix(v.Topics, "0.") {
		list = append(list, [2]string{"topic-namespace", space})
	}
	return list, err
}

// EvolveAdvice tells of a changeset that is obsolete what became of it in the end,
// as the extension evolve words it in a warning: "" when it is not obsolete.
func (v *View) EvolveAdvice(rev node.Rev) (string, error) {
	if rev < 0 || v.flags(rev)&obsolete.Obsolete == 0 {
		return "", nil
	}
	id := v.Node(rev)
	sets, err := obsolete.NewestSuccessors(v.snap.Markers(), id, v.seen)
	switch {
	case err != nil:
		return "", err
	case len(sets) == 0:
		return "use 'hg evolve' to update to its parent successor", nil
	case len(sets) > 1:
		return id.Short() + " has diverged, use 'hg evolve --list --content-divergent' to resolve the issue", nil
	case len(sets[0].Nodes) == 1:
		return "use 'hg evolve' to update to its successor: " + sets[0].Nodes[0].Short(), nil
	}
	var names []string
	for _, n := range sets[0].Nodes[:2] {
		names = append(names, n.Short())
	}
	advice := "use 'hg evolve' to update to its tipmost successor: " + strings.Join(names, ", ")
	if more := len(sets[0].Nodes) - 2; more > 0 {
		advice += " and " + strconv.Itoa(more) + " more"
	}
	return advice, nil
}
