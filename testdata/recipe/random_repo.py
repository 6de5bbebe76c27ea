#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random repositories, made by Mercurial's own code in one process.

    random_repo.py --seed N --out DIR [--variant a,b,c] [--count N]
    random_repo.py --serve      lines "SEED<tab>VARIANT<tab>DIR" on stdin, "ok" or an error for each on stdout

Run it with the interpreter that can import the Mercurial to make them with
(6.3 up to 7.2). The same seed and variant give the same changesets and the same
states of the working copy; with --count N the seeds count up and DIR holds the
repositories, named by their seed. A share variant makes DIR a share of
DIR-source. The features of a variant are told in worker/hg/hgtest/variant.go.

What comes out is legal for Mercurial but not polite: file names that no editor
likes, texts in no encoding, markers about changesets that nobody has, tags of
nodes that do not exist, lines in .hg files that make hg warn.
"""
import argparse
import os
import random
import stat
import sys
import traceback

os.environ["HGRCPATH"] = ""
os.environ.setdefault("HGENCODING", "UTF-8")

# Where Mercurial imports modules when they are first used, the parts of it
# that are changed below must be there before.
from mercurial import (  # noqa: E402
    bookmarks, changelog, commands, context, encoding, error, extensions, hg, obsolete, phases,
    pycompat, revlog, ui as uimod, util,
)

SPLIT_INLINE = revlog._maxinline

WORDS = b"""fix add drop update cache index walk merge rename copy store manifest filter phase tag encode
template output buffer socket client worker lock retry warn check match pattern root node revision head
graph range queue list digest delta chain footer comment style release version""".split()

USERS = [
    b"Ada Stone <ada.stone@example.org>",
    b"Bob River <bob@example.org>",
    "Zoë Äpfel <zoe@exämple.org>".encode(),
    b"carol",
    b"<dora@example.org>",
    b"eve@example.net",
    b'"Frank, F." <frank.f@example.org>',
    b"  Gus   Hal  <gus@example.org> ",
    b"h.h@example.org (Hana Hill)",
    b"ivo <broken@",
    "日本 太郎 <taro@example.jp>".encode(),
    b"a & b <c&d@example.org>",
    b"",
]
LATIN_USER = b"J\xf6rg M\xfcller <jm@example.org>"

BRANCHES = [b"stable", b"feature/x", b"two words", "ünïcode".encode(), b"1.0", b"abc", b"Default", b"tip2", b"x,y", b"-dash"]
MARKS = [b"@", b"@work", b"feat", b"feat@work", b"@default", "mårk".encode(), b"a b", b"dead", b"beef", b"wip/1", b"default2", b"Feat"]
TAGS = [b"v1.0", b"v1.1", b"v2.0-rc1", b"tag with space", "étiquette".encode(), b"abcdef", b"stable-tag", b"0.9", b"last-good", b"T"]

NAMES = [
    b"a", b"b.txt", b"README", b"Makefile", b"main.c", b"UPPER.TXT", b"MixedCase.Py", b"x y", b"-dash", b"aux", b"con.txt", b"nul",
    b"end.", b"trail ", b".hidden", b"..dots", b"file.i", b"file.d", b"ti~lde", b"co:lon", b"st*r", b"back\\slash", b"quo'te\"d",
    "ümlaut.txt".encode(), b"latin-\xe9\xe8", b"ctl\x01\x7f", "日本語".encode(), b"semi;colon", b"at@sign", b"per%cent", b"do$lar",
    b"new.orig", b"log.log", b"core", b"data.bin", b"lib.o", b"z", b"aa", b"ab", b"a.b", b"a-b", b"a_b", b"[x]", b"{y}", b"h#sh",
    b"L" * 90 + b".txt", b"q" * 130,
]
DIRS = [b"", b"", b"", b"src", b"src/lib", b"src/lib/deep/er", b"doc", b"Doc", b"dir.i", b"dir.hg", b"d x", "dïr".encode(), b"bad\xff", b"build", b"a.d", b".cfg", b"n" * 60 + b"/" + b"m" * 60]

IGNORES = [
    b"syntax: glob\n*.o\n*.log\n",
    b"syntax: regexp\n^build/\n\\.orig$\n",
    b"glob:core\nre:^tmp\nrootglob:*.bak\n",
    b"syntax: rootglob\ntmp*\nsrc/*.o\n# a comment\n\nsyntax: glob\ndoc/**.tmp\n",
    b"*.o\n",
    b"^src/lib/.*\\.pyc$\n",
    b"syntax: nosuch\n*.o\n",
    b"include:.hgignore-more\nsubinclude:src/.hgignore\n",
    b"syntax: glob\n**/gen\n{x,y}*.tmp\nti\\~lde?\nback\\\\#x\n",
    b"path:build\nrelglob:*.tmp\nrelre:\\.swp$\nrootfilesin:doc\n",
    b"syntax: regexp\n(?i)README\\.bak\n[\n",
]


def sentence(rnd, lo, hi):
    return b" ".join(rnd.choice(WORDS) for _ in range(rnd.randint(lo, hi)))


def description(rnd):
    """(text, raw): raw texts are stored byte for byte, as old versions or other tools did"""
    r = rnd.random()
    if r < 0.05:
        return b"", False
    if r < 0.09:
        return b"  leading blanks\n\ttab\n", False
    if r < 0.13:
        return b"\n\nempty lines first\n\nand last  \n\n", True
    if r < 0.17:
        return b"in latin-1: caf\xe9 na\xefve\nsecond \xfc", True
    if r < 0.22:
        return "Überschrift: ☃ <b>&amp;</b> \"quoted\" 'x' \\n \\\\ {rev}\n\n• a\n• b".encode(), False
    if r < 0.25:
        return b"trailing blanks   \nin  \t\n both lines  ", False
    if r < 0.28:
        return b"control \x01\x07\x1b[31m\x7f chars\r\nand crlf", False
    head = rnd.choice(WORDS) + b": " + sentence(rnd, 1, 8)
    if rnd.random() < 0.35:
        head += b"\n\n" + b"\n".join(sentence(rnd, 4, 14) for _ in range(rnd.randint(1, 4)))
    return head, False


def date(rnd, now):
    r = rnd.random()
    if r < 0.04:
        return rnd.choice([0, -1, -86400 * 365 * 5, 2**31 - 1, 1, 951782400]), rnd.choice([0, 3600, -7200])
    if r < 0.2:
        return now, rnd.choice([-50400, 43200, -20700, 12600, 12345, -1, 60])
    return now, rnd.choice([0, 0, 18000, -3600, -7200])


def text(rnd, old=None):
    if old and rnd.random() < 0.7:
        lines = old.splitlines(True)
        for _ in range(rnd.randint(1, 3)):
            at = rnd.randrange(len(lines) + 1)
            if rnd.random() < 0.6 or not lines:
                lines.insert(at, sentence(rnd, 1, 6) + b"\n")
            else:
                del lines[min(at, len(lines) - 1)]
        return b"".join(lines)
    r = rnd.random()
    if r < 0.1:
        return b""
    if r < 0.15:
        return b"\1\nlooks like metadata\n\1\n" + sentence(rnd, 1, 3)
    if r < 0.2:
        return bytes(rnd.randrange(256) for _ in range(rnd.randint(1, 300)))
    if r < 0.25:
        return sentence(rnd, 1, 4)  # no newline at the end
    if r < 0.3:
        return b"\r\n".join([sentence(rnd, 1, 4) for _ in range(3)]) + b"\r\n"
    if r < 0.33:
        return b"".join(b"%d %s\n" % (i, sentence(rnd, 3, 9)) for i in range(rnd.randint(50, 400)))
    return b"".join(sentence(rnd, 1, 7) + b"\n" for _ in range(rnd.randint(1, 12)))


class File:
    __slots__ = ("data", "flags")

    def __init__(self, data, flags=b""):
        self.data, self.flags = data, flags

    def same(self, other):
        return other is not None and self.data == other.data and self.flags == other.flags


def clash(path, state):
    """whether path cannot be beside the files of state: one would be a directory of the other"""
    if any(other.startswith(path + b"/") for other in state):
        return True
    parts = path.split(b"/")
    return any(b"/".join(parts[:i]) in state for i in range(1, len(parts)))


def newpath(rnd, state):
    for _ in range(20):
        name, folder = rnd.choice(NAMES), rnd.choice(DIRS)
        path = folder + b"/" + name if folder else name
        if path not in state and not clash(path, state):
            return path
    return None


class raw:
    """stores descriptions and users as the bytes they are, within the with statement"""

    def __init__(self, on):
        self.on = on

    def __enter__(self):
        self.saved = encoding.fromlocal, changelog.stripdesc
        if self.on:
            encoding.fromlocal = changelog.encoding.fromlocal = lambda s: s
            changelog.stripdesc = lambda s: s

    def __exit__(self, *exc):
        encoding.fromlocal, changelog.stripdesc = self.saved
        changelog.encoding.fromlocal = self.saved[0]


class History:
    """Writes the changesets. What each one holds is kept beside it, so that no manifest is read back."""

    def __init__(self, rnd, repo):
        self.rnd, self.repo = rnd, repo
        self.nodes, self.states, self.branches = [], [], []
        self.now = 1100000000 + rnd.randrange(300000000)

    def write(self, count):
        if not count:
            return
        with self.repo.lock(), self.repo.transaction(b"random") as tr:
            self.tr = tr
            for _ in range(count):
                self.changeset()

    def changeset(self):
        rnd, repo = self.rnd, self.repo
        p1, p2 = self.parents()
        base = self.states[p1] if p1 >= 0 else {}
        other = self.states[p2] if p2 >= 0 else {}
        state, copies = dict(base), {}
        if p2 >= 0:
            for path, f in other.items():
                if path in state or clash(path, state):
                    continue
                if rnd.random() < 0.7:
                    state[path] = f
        if rnd.random() > (0.5 if p2 >= 0 else 0.03):
            for _ in range(rnd.choice([1, 1, 2, 3, 6])):
                self.change(state, base, copies)
        if self.nodes and rnd.random() < 0.12:
            self.tag(state)
        if rnd.random() < 0.05 and not clash(b".hgignore", state):
            state[b".hgignore"] = File(rnd.choice(IGNORES))
            if rnd.random() < 0.5:
                state[b".hgignore-more"] = File(b"syntax: glob\n*.inc\n")
                if not clash(b"src/.hgignore", state):
                    state[b"src/.hgignore"] = File(b"syntax: glob\nlib/*.tmp\n*.sub\n")
        files = sorted(p for p in set(base) | set(other) | set(state)
                       if p in state and not (state[p].same(base.get(p)) and (p2 < 0 or state[p].same(other.get(p))))
                       or p not in state and p in base)

        branch = self.branches[p1] if p1 >= 0 else b"default"
        if rnd.random() < 0.14:
            branch = rnd.choice(BRANCHES + [b"default"])
        extra = {b"branch": branch}
        if p1 >= 0 and rnd.random() < 0.07:
            extra[b"close"] = b"1"
        if rnd.random() < 0.08:
            extra[rnd.choice([b"source", b"amend_source", b"x-odd"])] = rnd.choice(
                [b"0123456789" * 4, b"with: colon", b"nul\0 and \\ and \n line", "ü".encode(), b""])
        desc, israw = description(rnd)
        user = rnd.choice(USERS) or b"nobody"
        if rnd.random() < 0.04:
            user, israw = LATIN_USER, True
        self.now += rnd.randint(1, 400000) if rnd.random() < 0.95 else -rnd.randint(1, 90000)

        def filectx(repo, ctx, path):
            f = state.get(path)
            if f is None:
                return None
            return context.memfilectx(repo, ctx, path, f.data, islink=f.flags == b"l", isexec=f.flags == b"x",
                                      copysource=copies.get(path))

        null = repo.nullid
        parents = (self.nodes[p1] if p1 >= 0 else null, self.nodes[p2] if p2 >= 0 else null)
        with raw(israw):
            node = repo.commitctx(context.memctx(
                repo, parents, desc, files, filectx, user, b"%d %d" % date(rnd, self.now), extra))
        if repo.changelog.rev(node) < len(self.nodes):
            return  # the same changeset as an earlier one
        self.nodes.append(node)
        self.states.append(state)
        self.branches.append(branch)

    def parents(self):
        rnd, n = self.rnd, len(self.nodes)
        if n == 0 or rnd.random() < 0.015:
            return -1, -1
        p1 = n - 1 if rnd.random() < 0.72 else rnd.randrange(n)
        if n > 2 and rnd.random() < 0.16:
            p2 = max(0, n - 1 - int(rnd.expovariate(0.3)))
            if p2 != p1 and not self.related(p1, p2):
                return p1, p2
        return p1, -1

    def related(self, a, b):
        """merges of a changeset with its ancestor happen too, but seldom"""
        cl = self.repo.changelog
        return cl.isancestorrev(min(a, b), max(a, b)) and self.rnd.random() > 0.05

    def change(self, state, base, copies):
        rnd = self.rnd
        r = rnd.random()
        names = sorted(p for p in state if not p.startswith(b".hg"))
        if r < 0.3 or not names:
            path = newpath(rnd, state)
            if path:
                state[path] = File(text(rnd), rnd.choice([b"", b"", b"", b"", b"x"]))
        elif r < 0.62:
            path = rnd.choice(names)
            old = state[path]
            state[path] = File(text(rnd, old.data), old.flags) if old.flags != b"l" else File(b"elsewhere", b"l")
        elif r < 0.72:
            del state[rnd.choice(names)]
        elif r < 0.79:
            path = rnd.choice(names)
            state[path] = File(state[path].data, b"" if state[path].flags else b"x")
        elif r < 0.84:
            path = newpath(rnd, state)
            if path:
                state[path] = File(rnd.choice([b"a", b"no/such", b"../out", b"src", b"."]), b"l")
        elif r < 0.86:
            path = rnd.choice(names)
            f = state[path]
            state[path] = File(b"target", b"l") if f.flags != b"l" else File(text(rnd))
        else:
            source = rnd.choice(names)
            dest = newpath(rnd, state)
            if dest and source in base:
                f = state[source]
                state[dest] = File(text(rnd, f.data) if rnd.random() < 0.4 and f.flags != b"l" else f.data, f.flags)
                copies[dest] = source
                if rnd.random() < 0.6:
                    del state[source]

    def tag(self, state):
        rnd = self.rnd
        old = state.get(b".hgtags")
        lines = old.data if old else b""
        name = rnd.choice(TAGS)
        node = rnd.choice(self.nodes)
        hexnode = node.hex().encode()
        previous = [l.split(b" ", 1)[0] for l in lines.splitlines() if l.endswith(b" " + name)]
        r = rnd.random()
        if previous and r < 0.7:
            lines += b"%s %s\n" % (previous[-1], name)
            if r < 0.3:
                hexnode = b"0" * 40
        elif r > 0.96:
            hexnode = b"%040x" % rnd.getrandbits(160)
        elif r > 0.93:
            lines += rnd.choice([b"not a tag line\n", b"\n", b"1234 short\n", hexnode + b"\n", b"g" * 40 + b" nohex\n"])
        state[b".hgtags"] = File(lines + b"%s %s\n" % (hexnode, name))


def mark_phases(rnd, repo, nodes, features):
    with repo.lock(), repo.transaction(b"phases") as tr:
        picked = [n for n in nodes if rnd.random() < rnd.choice([0, 0.05, 0.2])]
        phases.advanceboundary(repo, tr, phases.public, picked)
        if rnd.random() < 0.4:
            phases.retractboundary(repo, tr, phases.secret, [n for n in nodes if rnd.random() < 0.06])
        if "internal-phase" in features and rnd.random() < 0.7:
            phases.retractboundary(repo, tr, phases.internal, nodes[-1:])
        if "archived-phase" in features and rnd.random() < 0.7:
            phases.retractboundary(repo, tr, phases.archived, nodes[-2:-1])
    if rnd.random() < 0.04:
        with repo.svfs(b"phaseroots", b"ab") as f:
            f.write(b"%d %040x\n" % (rnd.choice([1, 2]), rnd.getrandbits(160)))


def mark_obsolete(rnd, repo, nodes):
    """markers as rewriting would leave them, between changesets that exist, and a few about unknown ones"""
    mutable = [n for n in nodes if repo[n].mutable()] or list(nodes)
    pruned = set()  # hg lists several prunings of one changeset in the order of a set
    with repo.lock(), repo.transaction(b"obsolete") as tr:
        for _ in range(rnd.randint(1, 3 + len(nodes) // 4)):
            old = rnd.choice(mutable if rnd.random() < 0.9 else nodes)
            rev = repo.changelog.rev(old)
            later = [n for n in nodes if repo.changelog.rev(n) > rev and not repo.changelog.isancestorrev(rev, repo.changelog.rev(n))]
            r = rnd.random()
            parents = None
            if r < 0.3 or not later:
                preds, succs = [old], ()
                parents = repo.changelog.parents(old) if rnd.random() < 0.5 else None
                if parents:
                    parents = tuple(p for p in parents if p != repo.nullid)
            elif r < 0.75:
                preds, succs = [old], (rnd.choice(later),)
            elif r < 0.85:
                preds, succs = [old], tuple(sorted(set(rnd.choices(later, k=2))))
            elif r < 0.92:
                preds, succs = sorted({old, rnd.choice(mutable)} - {later[-1]}), (later[-1],)
            elif r < 0.96:
                preds, succs = [old], (rnd.getrandbits(160).to_bytes(20, "big"),)
            else:
                preds, succs = [rnd.getrandbits(160).to_bytes(20, "big")], (old,)
            meta = {b"user": rnd.choice(USERS) or b"x", b"operation": rnd.choice([b"amend", b"rebase", b"prune", b"split"]),
                    b"ef1": b"%d" % rnd.randrange(64)}
            if rnd.random() < 0.2:
                meta = {b"note": "ä note".encode()}
            for pred in preds:
                if pred not in succs and (succs or pred not in pruned):
                    if not succs:
                        pruned.add(pred)
                    repo.obsstore.create(tr, pred, succs, 0 if rnd.random() < 0.95 else 1, parents,
                                         (float(1400000000 + rnd.randrange(10**8)), rnd.choice([0, -3600, 19800])), meta, ui=repo.ui)
        repo.invalidatevolatilesets()


def mark_names(rnd, repo, nodes):
    with repo.wlock(), repo.lock(), repo.transaction(b"bookmarks") as tr:
        names = rnd.sample(MARKS, rnd.choice([0, 0, 1, 3, 6]))
        repo._bookmarks.applychanges(repo, tr, [(n, rnd.choice(nodes)) for n in names])
    if rnd.random() < 0.05:
        with bookmarks.bookmarksvfs(repo)(b"bookmarks", b"ab") as f:
            f.write(rnd.choice([b"%040x gone\n" % rnd.getrandbits(160), b"malformed line\n", b"\n", b"  \n"]))
    if rnd.random() < 0.12:
        lines = b""
        for _ in range(rnd.randint(1, 3)):
            lines += b"%s %s\n" % (rnd.choice(nodes).hex().encode(), rnd.choice(TAGS + [b"local", b"mine"]))
        if rnd.random() < 0.2:
            lines += b"0" * 40 + b" " + rnd.choice(TAGS) + b"\n"
        repo.vfs.write(b"localtags", lines)


class Workdir:
    """Brings the working copy into a random state."""

    def __init__(self, rnd, repo, nodes):
        self.rnd, self.repo, self.nodes = rnd, repo, nodes
        self.ui = repo.ui
        self.root = repo.root

    def path(self, name):
        return os.path.join(self.root, name)

    def run(self, command, *args, **opts):
        """a command that hg may refuse, which is fine"""
        self.ui.pushbuffer(error=True)
        try:
            command(self.ui, self.repo, *args, **opts)
        except (error.Abort, error.RepoError, error.LookupError, OSError):
            pass
        finally:
            self.ui.popbuffer()

    def make(self):
        rnd, repo = self.rnd, self.repo
        if self.nodes and rnd.random() < 0.93:
            visible = [r for r in repo.changelog] if rnd.random() < 0.9 else range(len(repo.unfiltered().changelog))
            visible = list(visible)
            if visible:
                rev = visible[-1] if rnd.random() < 0.6 else rnd.choice(visible)
                target = repo.unfiltered() if rev not in repo.changelog else repo
                self.ui.pushbuffer(error=True)
                try:
                    hg.clean(target, target.changelog.node(rev), show_stats=False)
                finally:
                    self.ui.popbuffer()
        marks = sorted(repo._bookmarks)
        if marks and rnd.random() < 0.5:
            here = [m for m in marks if repo._bookmarks[m] == repo.dirstate.p1()]
            with repo.wlock():
                bookmarks.activate(repo, rnd.choice(here or marks))
        self.settle()
        if rnd.random() < 0.85:
            if rnd.random() < 0.15 and len(self.nodes) > 2:
                self.merge()
            for _ in range(rnd.randint(0, 8)):
                self.touch()
            self.litter()
        if rnd.random() < 0.12:
            self.run(commands.branch, rnd.choice(BRANCHES), force=True)

    def settle(self):
        """old, known mtimes, most of which the dirstate then knows too"""
        rnd = self.rnd
        with self.repo.wlock():
            for name in sorted(self.repo.dirstate):
                self.stamp(name)
            if rnd.random() < 0.7:
                self.repo.invalidatedirstate()
                self.repo.status()
        self.repo.invalidatedirstate()

    def stamp(self, name):
        rnd = self.rnd
        ns = 10**9 * (1300000000 + rnd.randrange(10**8)) + rnd.choice([0, 1, 500000000, rnd.randrange(10**9)])
        try:
            os.utime(self.path(name), ns=(ns, ns), follow_symlinks=False)
        except OSError:
            pass

    def merge(self):
        rev = self.rnd.randrange(len(self.nodes))
        self.run(commands.merge, rev=b"%d" % rev, tool=self.rnd.choice([b":merge", b":fail", b":local", b":other", b":union"]))

    def pipe(self, p):
        """hg can neither copy nor rename one"""
        return os.path.lexists(p) and stat.S_ISFIFO(os.lstat(p).st_mode)

    def regular(self, name):
        try:
            return stat.S_ISREG(os.lstat(self.path(name)).st_mode)
        except OSError:
            return False

    def touch(self):
        rnd, repo = self.rnd, self.repo
        names = sorted(repo.dirstate)
        r = rnd.random()
        if not names or r < 0.12:
            self.put(text(rnd), add=True)
            return
        name = rnd.choice(names)
        p = self.path(name)
        if r < 0.3 and self.regular(name):
            with open(p, "ab") as f:
                f.write(b"changed\n")
            self.stamp(name)
        elif r < 0.42 and self.regular(name):
            # as long as before, so that only its time or its content tell
            st = os.lstat(p)
            with open(p, "rb") as f:
                data = bytearray(f.read())
            if data:
                data[rnd.randrange(len(data))] ^= 1
                with open(p, "wb") as f:
                    f.write(data)
                if rnd.random() < 0.3:
                    os.utime(p, ns=(st.st_mtime_ns, st.st_mtime_ns))
                elif rnd.random() < 0.3:
                    os.utime(p, ns=(st.st_mtime_ns + 1, st.st_mtime_ns + 1))
                else:
                    self.stamp(name)
        elif r < 0.48:
            self.stamp(name)
        elif r < 0.54 and self.regular(name):
            os.chmod(p, os.lstat(p).st_mode ^ 0o111)
        elif r < 0.62:
            self.run(commands.remove, p, force=True)
        elif r < 0.68:
            if os.path.lexists(p) and not os.path.isdir(p):
                os.unlink(p)
        elif r < 0.73:
            self.run(commands.forget, p)
        elif r < 0.83:
            dest = self.path(rnd.choice(DIRS) + b"/copy-%d" % rnd.randrange(5))
            if not self.pipe(p):
                self.run(commands.copy, p, dest, force=False, after=False)
        elif r < 0.92:
            dest = self.path(rnd.choice([b"", b"src/", b"new/"]) + b"moved-%d" % rnd.randrange(5))
            if not self.pipe(p):
                self.run(commands.rename, p, dest, force=False, after=False)
        elif r < 0.95 and os.path.lexists(p) and not os.path.isdir(p):
            os.unlink(p)
            kind = rnd.randrange(3)
            if kind == 0:
                os.symlink(b"somewhere", p)
            elif kind == 1:
                os.mkdir(p)
                with open(p + b"/inside", "wb") as f:
                    f.write(b"x\n")
            else:
                os.mkfifo(p)
        elif os.path.isfile(p) and not os.path.islink(p):
            os.unlink(p)
            with open(p, "wb") as f:
                f.write(text(rnd))

    def put(self, data, add=False):
        rnd = self.rnd
        name = rnd.choice(NAMES)
        folder = rnd.choice(DIRS + [b"build", b"tmp", b"src/gen", b"new/dir"])
        name = folder + b"/" + name if folder else name
        p = self.path(name)
        try:
            util.makedirs(os.path.dirname(p))
            if os.path.lexists(p):
                return
            with open(p, "wb") as f:
                f.write(data)
        except OSError:
            return
        if add:
            self.run(commands.add, p)

    def litter(self):
        """unknown and ignored files, and things that are no files"""
        rnd = self.rnd
        for _ in range(rnd.randint(0, 6)):
            self.put(b"unknown\n")
        for name in (b"x.o", b"y.log", b"src/z.tmp", b"build/out", b"doc/q.inc", b"foo.sub", b"tmp-1", b"src/lib/k.tmp", b"w.orig"):
            if rnd.random() < 0.25:
                p = self.path(name)
                try:
                    util.makedirs(os.path.dirname(p))
                    if not os.path.lexists(p):
                        with open(p, "wb") as f:
                            f.write(b"junk\n")
                except OSError:
                    pass
        try:
            if rnd.random() < 0.08:
                os.mkfifo(self.path(b"pipe"))
            if rnd.random() < 0.08:
                os.symlink(rnd.choice([b"nowhere", b"src", b".."]), self.path(b"alink"))
            if rnd.random() < 0.06:
                os.makedirs(self.path(b"nested/.hg"))
                with open(self.path(b"nested/file"), "wb") as f:
                    f.write(b"of another repository\n")
            if rnd.random() < 0.1:
                os.makedirs(self.path(b"empty/dir"))
        except OSError:
            pass
        if rnd.random() < 0.1 and not os.path.lexists(self.path(b".hgignore")):
            with open(self.path(b".hgignore"), "wb") as f:
                f.write(rnd.choice(IGNORES))


FORMATS = {
    "zlib": [(b"format", b"revlog-compression", b"zlib")],
    "zstd": [(b"format", b"revlog-compression", b"zstd")],
    "none": [(b"format", b"revlog-compression", b"none")],
    "nogd": [(b"format", b"usegeneraldelta", b"no"), (b"format", b"generaldelta", b"no"), (b"format", b"sparse-revlog", b"no")],
    "nosparse": [(b"format", b"sparse-revlog", b"no")],
    "dirstate-v2": [(b"format", b"use-dirstate-v2", b"yes")],
    "tracked-hint": [(b"format", b"use-dirstate-tracked-hint", b"yes")],
    "no-store": [(b"format", b"usestore", b"no")],
    "no-fncache": [(b"format", b"usefncache", b"no")],
    "no-dotencode": [(b"format", b"dotencode", b"no")],
    "share-safe": [(b"format", b"use-share-safe", b"yes")],
    "no-share-safe": [(b"format", b"use-share-safe", b"no")],
    "bookmarks-in-store": [(b"format", b"bookmarks-in-store", b"yes")],
    "nodemap": [(b"format", b"use-persistent-nodemap", b"yes")],
    "internal-phase": [(b"format", b"use-internal-phase", b"yes")],
    "archived-phase": [(b"format", b"exp-archived-phase", b"yes")],
    "treemanifest": [(b"experimental", b"treemanifest", b"yes")],
    "delta-info": [(b"format", b"use-delta-info-flags", b"yes")],
    "sparse": [], "subrepo": [],
    "changelogv2": [(b"format", b"exp-use-changelog-v2", b"enable-unstable-format-and-corrupt-my-data")],
    "revlogv2": [(b"experimental", b"revlogv2", b"enable-unstable-format-and-corrupt-my-data")],
    "sidedata": [(b"format", b"exp-use-copies-side-data-changeset", b"yes")],
    "fileindex": [(b"format", b"use-fileindex-v1", b"yes")],
    "plain-names": [(b"format", b"exp-use-very-fragile-and-unsafe-plain-store-encoding", b"yes"), (b"format", b"dotencode", b"no")],
    # these are not settings of the format
    "split": [], "share": [], "share-relative": [], "share-bookmarks": [], "evolution": [], "no-evolution": [],
}

# What the settings need in the repository itself: without Mercurial's Rust
# parts these formats are refused unless told otherwise; Mercurial 7.2 adds a
# fileindex to revlogv2.
ALLOW = {
    "dirstate-v2": b"[storage]\ndirstate-v2.slow-path = allow\n",
    "nodemap": b"[storage]\nrevlog.persistent-nodemap.slow-path = allow\n",
    "fileindex": b"[storage]\nfileindex.slow-path = allow\n",
    "revlogv2": b"[storage]\nfileindex.slow-path = allow\n",
}


def repository_config(rnd, features, evolution):
    out = b"".join(ALLOW[f] for f in sorted(ALLOW) if f in features)
    if "sparse" in features:
        out += b"[extensions]\nsparse =\n"
    if evolution:
        out += b"[experimental]\nevolution = all\n"
    if rnd.random() < 0.5:
        out += b"[paths]\ndefault = https://user:secret@example.org/repo#stable\nother = ../elsewhere\n"
        if rnd.random() < 0.5:
            out += b"default:pushurl = ssh://hg@example.org/x\nrel = sub/dir\nother:pushrev = .\n"
    if rnd.random() < 0.4:
        out += b"[ui]\nusername = Test User <test@example.org>\n"
    if rnd.random() < 0.04:
        out += b"[ui]\nverbose = yes\n"
    if rnd.random() < 0.04:
        out += b"[commands]\nstatus.relative = yes\n"
    if rnd.random() < 0.04:
        out += b"[ui]\nrelative-paths = yes\n"
    if rnd.random() < 0.05:
        out += b"[defaults]\nlog = -l 4\nstatus = -C\n"
    if rnd.random() < 0.05:
        out += b"[alias]\nmine = log -r . -T '{node}\\n'\n"
    if rnd.random() < 0.05:
        out += b"# comment\n[Section With Space]\nkey = a\n  continued\n; another comment\nempty =\n%unset nothing\n"
    if rnd.random() < 0.04:
        out += b"%include .hgrc-nosuch\n"
    return out


SUBREPOS = [b"sub", b"vendor/lib", b"with blanks", b"src/inner"]


class Subrepos:
    """Subrepositories in the last changesets, in the end in a random state."""

    def __init__(self, rnd, repo):
        self.rnd, self.repo, self.ui = rnd, repo, repo.ui
        self.inner = []

    def write(self, repo, name, data):
        path = repo.wjoin(name)
        util.makedirs(os.path.dirname(path))
        with open(path, "wb") as f:
            f.write(data)

    def commit(self, repo, text):
        """all that changed in a repository"""
        self.ui.pushbuffer(error=True)
        try:
            commands.addremove(self.ui, repo)
            return repo.commit(text, date=b"%d 0" % (1500000000 + self.rnd.randrange(10**6)), user=b"sub <sub@example.org>")
        finally:
            self.ui.popbuffer()

    def change(self, repo):
        rnd = self.rnd
        self.write(repo, rnd.choice([b"f", b"dir/g.c", b"dir/h", b"x y"]), b"".join(b"line %d\n" % rnd.randrange(9) for _ in range(rnd.randint(1, 5))))

    def make(self):
        """changesets with them on top of the last one"""
        from mercurial import subrepo

        subrepo.init() if hasattr(subrepo, "init") else None
        repo = self.repo
        hg.clean(repo, repo.changelog.tip(), show_stats=False)
        # hg adds and commits nothing where a pattern is wrong.
        ignore, aside = repo.wjoin(b".hgignore"), repo.vfs.join(b"hgignore-aside")
        if os.path.lexists(ignore):
            os.rename(ignore, aside)
        try:
            self.changesets()
        finally:
            if os.path.lexists(aside):
                os.rename(aside, ignore)

    def changesets(self):
        rnd, repo = self.rnd, self.repo
        spec = b""
        for path in rnd.sample(SUBREPOS, rnd.randint(1, 3)):
            if os.path.lexists(repo.wjoin(path)) and not os.path.isdir(repo.wjoin(path)) or any(f.startswith(path + b"/") for f in repo[None]):
                continue
            inner = hg.repository(self.ui, repo.wjoin(path), create=True)
            with open(inner.vfs.join(b"hgrc"), "wb") as f:
                f.write(b"".join(ALLOW[name] for name in ("dirstate-v2", "nodemap")))
            inner.ui.setconfig(b"ui", b"quiet", b"yes", b"generator")
            self.change(inner)
            self.commit(inner, b"first")
            self.inner.append(inner)
            spec += b"%s = %s\n" % (path, path)
            self.write(repo, b".hgsub", spec)
            if rnd.random() < 0.5:
                self.outer(b"with " + path)
        self.outer(b"with all")
        for _ in range(rnd.randint(0, 4)):
            if self.inner and rnd.random() < 0.8:
                inner = rnd.choice(self.inner)
                self.change(inner)
                self.commit(inner, b"next")
            self.write(repo, b"outer", b"%d\n" % rnd.randrange(10**6))
            self.outer(b"changed")

    def outer(self, text):
        """a changeset outside, in which the subrepositories are as they are"""
        self.ui.pushbuffer(error=True)
        try:
            commands.add(self.ui, self.repo, self.repo.wjoin(b".hgsub"))
            commands.add(self.ui, self.repo, *[self.repo.wjoin(b"outer")] if os.path.lexists(self.repo.wjoin(b"outer")) else [])
            self.repo.commit(text, date=b"1500000000 0", user=b"outer")
        finally:
            self.ui.popbuffer()

    def disturb(self):
        """what the user does in them and does not commit"""
        rnd = self.rnd
        for inner in self.inner:
            if not os.path.isdir(inner.root + b"/.hg"):
                continue
            inner = hg.repository(self.ui, inner.root)
            inner.ui.setconfig(b"ui", b"quiet", b"yes", b"generator")
            if rnd.random() < 0.4:
                self.change(inner)
            if rnd.random() < 0.2:
                self.write(inner, b"loose", b"?\n")
            if rnd.random() < 0.2:
                hg.clean(inner, inner.changelog.node(rnd.randrange(len(inner.changelog))), show_stats=False)
            if rnd.random() < 0.1:
                commands.branch(inner.ui, inner, b"elsewhere", force=True)
        if rnd.random() < 0.2:
            self.write(self.repo, b".hgsub", rnd.choice([b"sub = sub\n", b"", b"# none\nsub = elsewhere\nvendor/lib = [hg]../lib\n"]))


SPARSE = [b"src", b"doc", b"glob:**.c", b"path:src", b"re:.*e", b"rootfilesin:src", b"*.txt", b"glob:d*", b"sub", b"**.py"]


def make_sparse(rnd, repo):
    """a sparse checkout, whatever state the working copy is in"""
    from mercurial import sparse

    sparse.enabled = True
    repo._has_sparse = True
    include = rnd.sample(SPARSE, rnd.randint(0, 3))
    exclude = rnd.sample(SPARSE, rnd.randint(0 if include else 1, 2))
    repo.ui.pushbuffer(error=True)
    try:
        sparse.updateconfig(repo, {}, include=include, exclude=exclude, force=True, usereporootpaths=True)
    except (error.Abort, OSError, KeyError):
        pass
    finally:
        repo.ui.popbuffer()


def make(seed, variant, out):
    out = os.path.abspath(pycompat.fsencode(out))
    features = [f for f in variant.split(",") if f]
    unknown = [f for f in features if f not in FORMATS]
    if unknown:
        raise ValueError("unknown feature %s in variant %r" % (unknown[0], variant))
    rnd = random.Random("%d %s" % (seed, ",".join(sorted(features))))
    share = any(f.startswith("share") and f != "share-safe" for f in features)
    evolution = "evolution" in features or "no-evolution" not in features and rnd.random() < 0.25
    # below it a revlog keeps index and data in one file
    revlog._maxinline = rnd.choice([200, 1000, 5000]) if "split" in features else SPLIT_INLINE

    ui = uimod.ui.load()
    settings = [(b"ui", b"quiet", b"yes"), (b"ui", b"interactive", b"no"), (b"ui", b"username", b"test"), (b"ui", b"merge", b":merge"),
                (b"devel", b"default-date", b"1500000000 0"), (b"storage", b"dirstate-v2.slow-path", b"allow"),
                (b"storage", b"revlog.persistent-nodemap.slow-path", b"allow"), (b"storage", b"fileindex.slow-path", b"allow")]
    for f in features:
        settings += FORMATS[f]
    markers = evolution or rnd.random() < 0.03  # where it is off again later, hg warns of them
    if markers:
        settings.append((b"experimental", b"evolution", b"all"))
        if rnd.random() < 0.1:
            settings.append((b"format", b"obsstore-version", b"0"))
    for section, key, value in settings:
        ui.setconfig(section, key, value, b"generator")

    source = out + b"-source" if share else out
    repo = hg.repository(ui, source, create=True)
    config = repository_config(rnd, features, evolution)
    history = History(rnd, repo.unfiltered())
    history.write(rnd.choice([0, 1, 2, 5, 12, 20, 30, 45]) if rnd.random() < 0.6 else rnd.randint(8, 40))
    nodes = history.nodes
    if nodes:
        repo = repo.unfiltered()
        mark_phases(rnd, repo, nodes, features)
        mark_names(rnd, repo, nodes)
        if markers:
            mark_obsolete(rnd, repo, nodes)
    subrepos = None
    if "subrepo" in features and nodes:
        subrepos = Subrepos(rnd, hg.repository(ui, source))
        subrepos.make()
    if share:
        with open(os.path.join(source, b".hg/hgrc"), "wb") as f:
            f.write(config)
        dest = hg.share(ui, source, out, update=False, bookmarks="share-bookmarks" in features, relative="share-relative" in features)
        del dest
        config = repository_config(rnd, features, evolution)
        if rnd.random() < 0.3 and nodes:
            repo = hg.repository(ui, out)
            mark_names(rnd, repo, nodes)
    with open(os.path.join(out, b".hg/hgrc"), "wb") as f:
        f.write(config)
    repo = hg.repository(ui, out)
    repo.ui.setconfig(b"ui", b"quiet", b"yes", b"generator")
    repo.ui.setconfig(b"ui", b"verbose", b"no", b"generator")
    Workdir(rnd, repo, nodes).make()
    if subrepos:
        subrepos.disturb()
    if "sparse" in features:
        make_sparse(rnd, repo)


def serve(answers):
    for line in sys.stdin:
        seed, variant, out = line.rstrip("\n").split("\t")
        try:
            make(int(seed), variant, out)
            answers.write("ok\n")
        except Exception:
            answers.write("failed: %r\n" % traceback.format_exc())
        answers.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out")
    parser.add_argument("--variant", default="")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--serve", action="store_true")
    args = parser.parse_args()
    # whatever Mercurial prints goes to stderr
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    extensions.loadall(uimod.ui.load())
    if args.serve:
        serve(answers)
    elif not args.out:
        parser.error("--out or --serve is needed")
    elif not args.count:
        make(args.seed, args.variant, args.out)
    else:
        os.makedirs(args.out, exist_ok=True)
        for seed in range(args.seed, args.seed + args.count):
            make(seed, args.variant, os.path.join(args.out, str(seed)))


if __name__ == "__main__":
    main()
