// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"sync"

	"hgbroker/worker/hg/phases"
)

// topicKeywords are those of the extension topic.
var topicKeywords func() map[string]*keyword

func init() { topicKeywords = sync.OnceValue(makeTopicKeywords) }

func makeTopicKeywords() map[string]*keyword {
	return map[string]*keyword{
		"topic": {name: "topic", doc: "the changeset's topic", requires: needCtx,
			value: func(s *scope) (Value, error) { return Bytes(TopicOf(s.context())), nil }},
		"topics": {name: "topics", doc: "the changeset's topic, as a list", requires: needRepoCtx, value: topics, list: "topic"},
	}
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
