// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"bytes"
	"strings"
)

// DefaultSummary is the template of {onelinesummary}, and of the commands that
// show a changeset in one line, unless command-templates.oneline-summary says
// otherwise: hash, names except the branch's, first line of the description.
const DefaultSummary = `{separate(" ", label("oneline-summary.changeset", "{rev}:{node|short}"),` +
	` join(filter(namespaces % "{ifeq(namespace, "branches", "",` +
	` join(names % "{label("oneline-summary.{namespace}", name)}", " "))}"), " "))}` +
	` "{label("oneline-summary.desc", desc|firstline)}"`

// summaryTemplate compiles what Options.Summary says, once.
func (e *Engine) summaryTemplate() (*Template, error) {
	if e.summary == nil {
		var err error
		if e.opts.Summary == nil {
			e.summary, err = NewBare(e.opts).Literal(DefaultSummary)
		} else {
			e.summary, err = e.opts.Summary()
		}
		if err != nil {
			return nil, err
		}
	}
	return e.summary, nil
}

func checkSummary(e *Engine) error {
	_, err := e.summaryTemplate()
	return err
}

func oneLineSummary(s *scope) (Value, error) {
	t, err := s.e.summaryTemplate()
	if err != nil {
		return Value{}, err
	}
	var w bytes.Buffer
	if err := t.Render(&w, Resources{Repo: s.e.repo, Ctx: s.context(), Index: -1}); err != nil {
		return Value{}, err
	}
	line, _, _ := strings.Cut(w.String(), "\n")
	return Bytes(line), nil
}
