// SPDX-License-Identifier: GPL-2.0-or-later

package color

import "sync"

// defaults are the effects that labels have without any configuration. Those
// that no command has a use for in one release are in the table all the same.
var defaults = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"bookmarks.active":                   "green",
		"branches.active":                    "none",
		"branches.closed":                    "black bold",
		"branches.current":                   "green",
		"branches.inactive":                  "none",
		"diff.changed":                       "white",
		"diff.deleted":                       "red",
		"diff.deleted.changed":               "red bold underline",
		"diff.deleted.unchanged":             "red",
		"diff.diffline":                      "bold",
		"diff.extended":                      "cyan bold",
		"diff.file_a":                        "red bold",
		"diff.file_b":                        "green bold",
		"diff.hunk":                          "magenta",
		"diff.inserted":                      "green",
		"diff.inserted.changed":              "green bold underline",
		"diff.inserted.unchanged":            "green",
		"diff.trailingwhitespace":            "bold red_background",
		"diffstat.deleted":                   "red",
		"diffstat.inserted":                  "green",
		"formatvariant.config.default":       "green",
		"formatvariant.config.special":       "yellow",
		"formatvariant.name.mismatchconfig":  "red",
		"formatvariant.name.mismatchdefault": "yellow",
		"formatvariant.name.uptodate":        "green",
		"formatvariant.repo.mismatchconfig":  "red",
		"formatvariant.repo.mismatchdefault": "yellow",
		"formatvariant.repo.uptodate":        "green",
		"log.topic":                          "green_background",
		"topic.active":                       "green",
		"grep.date":                          "magenta",
		"grep.deleted":                       "red bold",
		"grep.filename":                      "magenta",
		"grep.inserted":                      "green bold",
		"grep.linenumber":                    "green",
		"grep.match":                         "red bold",
		"grep.rev":                           "blue",
		"grep.sep":                           "cyan",
		"grep.user":                          "magenta",
		"histedit.remaining":                 "red bold",
		"log.changeset":                      "yellow",
		"narrow-server.hidden-path":          "yellow",
		"patchbomb.from":                     "magenta",
		"patchbomb.subject":                  "green",
		"patchbomb.to":                       "cyan",
		"rebase.rebased":                     "blue",
		"rebase.remaining":                   "red bold",
		"resolve.resolved":                   "green bold",
		"resolve.unresolved":                 "red bold",
		"shelve.age":                         "cyan",
		"shelve.name":                        "blue bold",
		"shelve.newest":                      "green bold",
		"status.added":                       "green bold",
		"status.clean":                       "none",
		"status.copied":                      "none",
		"status.deleted":                     "cyan bold underline",
		"status.ignored":                     "black bold",
		"status.modified":                    "blue bold",
		"status.removed":                     "red bold",
		"status.unknown":                     "magenta bold underline",
		"tags.local":                         "black bold",
		"tags.normal":                        "green",
		"ui.addremove.added":                 "green",
		"ui.addremove.removed":               "red",
		"ui.error":                           "red",
		"ui.prompt":                          "yellow",
		"upgrade-repo.requirement.added":     "green",
		"upgrade-repo.requirement.preserved": "cyan",
		"upgrade-repo.requirement.removed":   "red",
	}
})

// extensionDefaults are the effects that labels have while an extension is enabled.
var extensionDefaults = sync.OnceValue(func() map[string]map[string]string {
	return map[string]map[string]string{
		"absorb": {"absorb.description": "yellow", "absorb.node": "blue bold", "absorb.path": "bold"},
		"mq": {
			"qguard.negative":   "red",
			"qguard.positive":   "yellow",
			"qguard.unguarded":  "green",
			"qseries.applied":   "blue bold underline",
			"qseries.guarded":   "black bold",
			"qseries.missing":   "red bold",
			"qseries.unapplied": "black bold",
		},
	}
})
