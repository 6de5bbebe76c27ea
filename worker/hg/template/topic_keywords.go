// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"sync"

	"hgbroker/worker/hg/phases"
)

// topicKeywordTable has those of the extension topic. It is made at its first use.
var topicKeywordTable struct {
	once sync.Once
	made map[string]*keyword
}

func topicKeywords() map[string]*keyword {
	topicKeywordTable.once.Do(func() { topicKeywordTable.made = makeTopicKeywords() })
	return topicKeywordTable.made
}

func makeTopicKeywords() map[string]*keyword {
	table := map[string]*keyword{
		"topic": {name: "topic", doc: "the changeset's topic", requires: needCtx,
			value: func(s *scope) (Value, error) { return Bytes(TopicOf(s.context())), nil }},
		"topics": {name: "topics", doc: "the changeset's topic, as a list", requires: needRepoCtx, value: topics, list: "topic"},
	}
	return table
}

// TopicOf is the topic of a changeset, as stored: public ones have none.
func TopicOf(ctx Changectx) string {
	topic := ""
	if ctx.Phase() != phases.Public {
		for _, x := range ctx.Extras() {
			if x.Key == "topic" {
				topic = x.Value
			}
		}
	}
	return topic
}

// topicList is a changeset's topic, or nothing.
func topicList(ctx Changectx) []Text {
	if topic := TopicOf(ctx); topic != "" {
		return []Text{PlainText(topic)}
	}
	return nil
}

func topics(s *scope) (Value, error) {
	var values []Value
	if topic := TopicOf(s.context()); topic != "" {
		values = []Value{Bytes(topic)}
	}
	return wrap(compatList("topic", "topics", "", " ", values)), nil
}
