// SPDX-License-Identifier: GPL-2.0-or-later

package template

import (
	"time"

	"hgbroker/worker/hg/encoding"
)

// Version selects between releases of Mercurial where they differ.
type Version int

// The releases that are told apart.
const (
	Hg63 Version = iota // 6.3 and older
	Hg72                // 7.2
)

// Feature names an interface beyond Repo that the command's Repo implements.
type Feature uint

// The features; see the interface of each.
const (
	FeatureRevset   Feature = 1 << iota // RevsetEvaluator
	FeatureCopies                       // CopyTracer
	FeatureObsolete                     // ObsoleteReader
	FeatureFiles                        // FileReader
	FeatureEnviron                      // Options.Environ
	FeaturePaths                        // Options.Paths
	FeatureDiff                         // DiffReader
)

// Options is everything besides the repository that a template can see.
type Options struct {
	Quiet, Verbose, Debug bool
	// TermWidth is the terminal's width in columns.
	TermWidth int
	Version   Version
	Features  Feature
	// Encoding is the local encoding; UTF-8 when nil.
	Encoding *encoding.Encoding
	// Now is the time of the command and Location its time zone; UTC when nil.
	Now      time.Time
	Location *time.Location
	// Config answers config(section, name): the value as text, and whether it
	// is set. Without it the config functions are Unsupported.
	Config func(section, name string) (value string, set bool, err error)
	// ConfigDefault is the default of an item that is not set, the zero Value when
	// it has none; known is false for an item that hg does not register.
	ConfigDefault func(section, name string) (v Value, known bool)
	// CheckRevset reports before anything is printed whether revset() can run a
	// query: its error is looked at only when it is an Unsupported.
	CheckRevset func(query string) error
	// ParseRevset reports hg's error about a query that is no revset; nil takes
	// all for one.
	ParseRevset func(query string) error
	// PrefixHexNode is experimental.revisions.prefixhexnode.
	PrefixHexNode bool
	// DisambiguateWithin is experimental.revisions.disambiguatewithin; shortest()
	// is Unsupported when it is set.
	DisambiguateWithin string
	// RepoResident says that the templates belong to a repository for good, as
	// those of `hg log` do, rather than getting it item by item from a formatter.
	RepoResident bool
	// Evolve and Topics say that the extensions evolve and topic are on.
	Evolve, Topics bool
	// NoKeywords leaves only the names that the command binds.
	NoKeywords bool
	// Label marks a text with the names of its colours, by which the output is
	// coloured; nil leaves texts as they are.
	Label func(text, label string) string
	// Summary is the template of {onelinesummary}, compiled with the user's
	// fragments and aliases; DefaultSummary when nil.
	Summary func() (*Template, error)
	// Paths is the [paths] section, sorted by name. Its error is looked at before
	// anything is printed.
	Paths func() ([]PeerPath, error)
	// Environ are the variables that hg exports to templates, sorted by name.
	Environ []Extra
}

// PeerPath is a name in [paths] and what it stands for: one place, or several.
type PeerPath struct {
	Name   string
	Places []PeerPlace
}

// PeerPlace is a place with its sub-options, sorted by name.
type PeerPlace struct {
	URL     string
	Options []Binding
}

// Binding is a name and its value in a mapping.
type Binding struct {
	Name  string
	Value Value
}

// Resources is what one Render looks at.
type Resources struct {
	Repo Repo
	// Ctx is the changeset in view; nil when the item has none.
	Ctx Changectx
	// Item are the names that the command binds, in any order.
	Item []Binding
	// Path is the file in view (fm.context(fctx=...)), empty when there is none
	// or when the item binds "path" itself.
	Path string
	// Index is the value of {index}; negative when there is none.
	Index int
	// Copies are those of `log --copies`; they feed {file_copies_switch} and,
	// when not nil, {file_copies}.
	Copies []Copy
}
