# SPDX-License-Identifier: GPL-2.0-or-later
"""Recipes for states of the working copy and of the configuration."""
import os

from bench import SETTLED, register

IGNORE = r"""# every syntax, and lines that mean nothing

^default-is-regexp\.x$
syntax: glob
*.o
build/*.tmp
**/gen/**
{x,y}.junk
[ab]?.bak
with\#hash
syntax: regexp
\.orig$
^logs/.*\.log$
(?i)\.SWP$
syntax: rootglob
top.*
sub/top.*
glob:*.pyc
re:^old-
path:cache
relpath:cache2
relglob:*.tilde~
rootfilesin:flat
include:.hgignore-more
subinclude:sub/.hgignore
"""


def every_letter(b):
    for name in ["clean", "modified", "same-size", "touched", "removed", "missing", "forgotten", "copied-from", "renamed-from", "exec", "to-dir", "to-link", "sub/clean", "sub/modified",
                 "sub/deep/er/clean", "sub/deep/er/modified", "other/removed", "other/missing", "spa ce/a b", "both"]:
        b.write(name, name + "\n")
    b.write(".hgignore", IGNORE)
    b.write(".hgignore-more", "syntax: glob\n*.inc\n")
    b.write("sub/.hgignore", "syntax: glob\n*.sub\ndeep/*.dd\n")
    b.write("tracked.o", "tracked although ignored\n")
    b.hg("add", "-q", "tracked.o")
    b.commit("all of it")
    b.append("clean", "2\n")
    b.commit("second")
    b.settle()

    b.change("modified", "changed\n")
    b.change("same-size", "SAME-size\n")
    b.stamp("touched", SETTLED + 10**9)
    b.hg("remove", "-q", "removed", "other/removed")
    b.hg("forget", "-q", "forgotten")
    b.remove("missing")
    b.remove("other/missing")
    b.hg("copy", "-q", "copied-from", "copied-to")
    b.hg("copy", "-q", "copied-from", "sub/copied-to")
    b.hg("rename", "-q", "renamed-from", "sub/renamed-to")
    os.chmod(b.path("exec"), 0o755)
    b.remove("to-dir")
    b.write("to-dir/file", "x\n")
    b.link("clean", "to-link")
    b.change("sub/modified", "changed\n")
    b.change("sub/deep/er/modified", "changed\n")
    b.change("both", "changed, and then removed\n")
    b.hg("remove", "-q", "-f", "both")
    b.change("both", "there again\n")
    for name in ["added", "sub/added", "new/dir/added"]:
        b.write(name, "new\n")
        b.hg("add", "-q", name)
    b.write("added-missing", "new\n")
    b.hg("add", "-q", "added-missing")
    b.remove("added-missing")
    for name in ["unknown", "sub/unknown", "un known/x", "x.o", "sub/x.o", "build/a.tmp", "build/a.keep", "any/gen/thing", "x.junk", "sub/y.junk", "a1.bak", "c1.bak", "with#hash",
                 "f.orig", "sub/f.orig", "logs/a.log", "logs/a.txt", "f.swp", "F.SwP", "top.x", "sub/top.x", "other/top.x", "m.pyc", "old-thing", "sub/old-thing", "cache/in", "cache2/in",
                 "sub/cache/in", "k.tilde~", "flat/in", "flat/deep/in", "q.inc", "sub/q.inc", "z.sub", "sub/z.sub", "sub/deep/z.dd", "sub/z.dd"]:
        b.write(name, "junk\n")
    os.mkdir(b.path("hollow"))
    os.mkfifo(b.path("pipe"))
    b.link("nowhere", "unknown-link")
    os.makedirs(b.path("nested/.hg"))
    b.write("nested/file", "of another repository\n")


@register()
def status(b):
    """every letter of status, nested folders, all syntaxes of .hgignore, things that are no files"""
    b.init()
    every_letter(b)


@register()
def status_v2(b):
    """the same with a dirstate-v2"""
    b.init("format.use-dirstate-v2=yes", "storage.dirstate-v2.slow-path=allow", hgrc=b"[storage]\ndirstate-v2.slow-path = allow\n")
    every_letter(b)


def conflict(b):
    b.write("both", "1\n2\n3\n")
    b.write("mine", "m\n")
    b.write("gone", "g\n")
    b.write("moved", "v\n")
    b.commit("base")
    b.write("both", "1\nleft\n3\n")
    b.write("left", "l\n")
    b.hg("remove", "-q", "gone")
    b.commit("left")
    b.hg("update", "-q", "0")
    b.write("both", "1\nright\n3\n")
    b.write("mine", "changed\n")
    b.write("gone", "changed\n")
    b.hg("rename", "-q", "moved", "moved2")
    b.write("right", "r\n")
    b.commit("right")
    b.hg("update", "-q", "1")
    b.hg("merge", "-q", "2", "--tool", ":merge3", code=1)


@register()
def merging(b):
    """in the middle of a merge with unresolved files: two parents, files from the other one"""
    b.init()
    conflict(b)
    b.stamp("both", SETTLED)


@register()
def merging_v2(b):
    """the same with a dirstate-v2"""
    b.init("format.use-dirstate-v2=yes", "storage.dirstate-v2.slow-path=allow", hgrc=b"[storage]\ndirstate-v2.slow-path = allow\n")
    conflict(b)


@register(brief=True)
def merging_clean(b):
    """a merge without conflicts, not committed yet, with a copy made in it, on a branch not committed either"""
    b.init()
    b.story()
    b.hg("update", "-q", "0")
    b.write("beside", "x\n")
    b.commit("another head")
    b.settle()
    b.hg("merge", "-q", "5")
    b.hg("copy", "-q", "a", "a-copy")
    b.hg("branch", "-q", "soon")


@register(brief=True)
def updated_to_null(b):
    """a history, and a working copy at the null revision with unknown files"""
    b.init()
    b.story()
    b.hg("update", "-q", "null")
    b.write("x", "x\n")


@register()
def old_parent(b):
    """the working copy on an old changeset, with files added, a branch name set and a bookmark active on another one"""
    b.init()
    b.story()
    b.hg("bookmark", "-q", "-r", "1", "here")
    b.hg("update", "-q", "here")
    b.settle()
    b.hg("branch", "-q", "next")
    b.write("n", "n\n")
    b.hg("add", "-q", "n")


@register(brief=True)
def subrepo(b):
    """a subrepository, with changes in it"""
    b.init()
    b.write("f", "f\n")
    b.hg("init", b.path("sub"))
    b.write("sub/s", "s\n")
    b.hg("commit", "-q", "-A", "-m", "in sub", cwd=b.path("sub"))
    b.write(".hgsub", "sub = sub\n")
    b.commit("with a subrepository")
    b.settle()
    b.append("sub/s", "2\n")


CONFIG = b"""# comments and blanks
[ui]
username = Configured <c@example.org>
verbose = False
; another comment
[paths]
default = https://user:secret@example.org/repo#stable
default:pushurl = ssh://hg@example.org/push
other = ../other
local = $TESTTMP/else
alias = path://other
[alias]
mine = log -r . -T '{node}\\n'
st = status -mn
shell = !echo hi
[defaults]
tags = -v
[Weird Section]
key with space = a value
continued = one
  two
    three
empty =
percent = %(no)s
unset = 1
%unset unset
[list]
items = a, b "c d", e
%include included.rc
%include missing.rc
"""


@register()
def configured(b):
    """a repository's hgrc with every construct: sections, continuations, includes, %unset, aliases, defaults, paths"""
    b.init()
    b.story()
    b.settle()
    b.hgrc(CONFIG.replace(b"$TESTTMP", b.top))
    b.write(".hg/included.rc", "[included]\nvalue = from another file\n[ui]\nssh = ssh -C\n")


@register(brief=True)
def configured_verbose(b):
    """ui.verbose and relative paths from the repository's hgrc"""
    b.init(hgrc=b"[ui]\nverbose = yes\nrelative-paths = yes\n[commands]\nstatus.relative = yes\n")
    b.story()
    b.settle()
    b.write("dir/unknown", "u\n")


@register(brief=True)
def configured_templates(b):
    """templates from the repository's hgrc"""
    b.init(hgrc=b"[command-templates]\nlog = {rev}:{node|short} {desc|firstline}\\n\n[templates]\nmine = {node}\\n\n[templatealias]\nn = node|short\n[revsetalias]\nmine = p1()\n")
    b.story()
    b.settle()


@register(brief=True)
def configured_extension(b):
    """an extension that adds commands, enabled by the repository's hgrc"""
    b.init(hgrc=b"[extensions]\nrebase =\nshare =\n")
    b.story()
    b.settle()


@register(brief=True)
def configured_badly(b):
    """a line of the repository's hgrc that cannot be parsed"""
    b.init()
    b.story()
    b.settle()
    b.hgrc(b"[ui]\nusername = x\nthis is no setting\n")


@register(brief=True)
def ignore_bad_pattern(b):
    """a .hgignore with an invalid regular expression, one with an unknown syntax in a folder"""
    b.init()
    b.story()
    b.settle()
    b.write(".hgignore", "syntax: nosuch\n*.o\nsyntax: regexp\nok\n[bad\n")


@register(brief=True)
def ignore_missing_include(b):
    """a .hgignore that includes files that do not exist"""
    b.init()
    b.story()
    b.settle()
    b.write(".hgignore", "include:nosuch\nsubinclude:dir/nosuch\nsyntax: glob\n*.o\n")
    b.write("x.o", "x\n")
    b.write("y.p", "y\n")
