// SPDX-License-Identifier: GPL-2.0-or-later

// Package template is Mercurial's template language: it compiles "{node|short}
// {desc|firstline}\n" once and renders it for one item after the other.
//
// The language is described by `hg help templates`. The way from text to bytes:
//
//   - token.go and parse.go turn the text into a tree, alias.go rewrites the
//     tree by [templatealias], compile.go turns it into expressions;
//   - an expression is evaluated in a scope (scope.go): a chain of mappings,
//     each of which may bind names and may put another changeset in view;
//   - values (value.go) are Python's as far as a template can see them: bytes,
//     numbers, dates, lists, dicts, and containers that know both how to print
//     themselves and how to be mapped with '%' (hybrid.go, mappings.go);
//   - keywords, filters and functions stand in tables (keywords.go, filters.go,
//     functions.go), one row each.
//
// What the package does not do: it reads no repository (it asks the small
// interfaces Repo and Changectx), no clock and no environment (Options carries
// both), and it knows no style by name (package formatter does).
//
// Invariants:
//
//   - A row whose meaning is not implemented exactly names the reason, and a
//     template that uses it fails to compile with hgerr.Unsupported. Compiling
//     happens before the first byte of output; what only shows while rendering
//     is an error of the template's author, and carries hg's own words.
//   - Parse errors are kept by the Template and returned by its first Render,
//     because hg reports them only when there is something to print.
//   - When Render returns an error it has written nothing.
//   - An Engine and its Templates serve one command: they cache what they
//     computed about the repository, and are not safe for concurrent use.
package template
