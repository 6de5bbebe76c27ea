#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the large repositories that are measured; `go run ./clients/bench --recipe` runs it.

    large.py r1|r2|r3 [--scale F] DIR   makes a repository, in the interpreter of a real hg
    large.py twin DIR GITDIR            makes a git repository of the same history

r1  what rewriting leaves behind: 20,000 changesets that show, 6,000 that do not,
    obsolescence markers of 21 MB, most of them about changesets that never were here
r2  a long history: 200,000 changesets of 50 files, with side lines, three named
    branches, tags, bookmarks, closed and forgotten heads
r3  a wide working copy: 100,000 files in 5,000 folders, 300 changesets, ignore rules

Nothing depends on the clock, the environment or the order of hashing: the same
scale makes the same changesets. The working copy is left for `hg update`.
"""
import argparse
import hashlib
import os
import random
import subprocess
import sys

from mercurial import bookmarks, context, hg, obsolete, phases, ui as uimod
from mercurial.node import hex

assert bookmarks  # registers the store that repo._bookmarks reads

WORDS = (b"parser wire image worker queue lease socket frame answer question delta chain index column header reader writer "
         b"branch merge graph phase marker bundle cache budget limit retry timeout signal thread lock fork pipe buffer encode "
         b"decode escape prefix suffix lookup insert remove rename repair explain shorten tests docs typo build release").split()
USERS = [b"%s %s <%s@example.org>" % (a.capitalize(), b.capitalize(), a)
         for a in b"ada bob carol dave erin frank grace heidi ivan judy".split() for b in b"stone river hill wood".split()]
START = 1400000000  # seconds; the date of the first changeset


class History:
    """A repository that grows by changesets made in memory, in one transaction."""

    def __init__(self, path, seed):
        ui = uimod.ui.load()
        ui.setconfig(b"ui", b"quiet", True)
        self.repo = hg.repository(ui, os.fsencode(path), create=True).unfiltered()
        self.rnd = random.Random(seed)
        self.clock = START
        self.lock = self.repo.lock()
        self.tr = self.repo.transaction(b"recipe")

    def words(self, least, most):
        return b" ".join(self.rnd.choices(WORDS, k=self.rnd.randint(least, most)))

    def line(self):
        return b"\t" * self.rnd.randint(0, 3) + self.words(2, 7) + b"\n"

    def message(self):
        text = self.rnd.choice(WORDS) + b": " + self.words(3, 7)
        if self.rnd.random() < 0.35:
            text += b"\n\n" + b"\n".join(self.words(6, 12) for _ in range(self.rnd.randint(1, 5)))
        return text

    def edited(self, lines):
        """lines with one of them changed, added or, of many, removed"""
        at, how = self.rnd.randrange(len(lines)), self.rnd.random()
        lines = list(lines)
        if how < 0.6:
            lines[at] = self.line()
        elif how < 0.8 or len(lines) < 50:
            lines.insert(at, self.line())
        else:
            del lines[at]
        return lines

    def commit(self, parents, changes, text=None, branch=b"default", **extra):
        """adds a changeset; changes: path -> list of lines"""
        self.clock += self.rnd.randint(1, 1200)
        fields = {b"branch": branch, **{k.encode(): v for k, v in extra.items()}}

        def content(repo, ctx, path):
            return context.memfilectx(repo, ctx, path, b"".join(changes[path]))

        ctx = context.memctx(self.repo, (list(parents) + [None])[:2], text or self.message(), sorted(changes), content,
                             self.rnd.choice(USERS), (self.clock, 0), fields)
        return self.repo.commitctx(ctx)

    def bookmark(self, names):
        self.repo._bookmarks.applychanges(self.repo, self.tr, sorted(names.items()))

    def draft(self, nodes):
        """all else is public"""
        phases.advanceboundary(self.repo, self.tr, phases.public, self.repo.heads())
        phases.retractboundary(self.repo, self.tr, phases.draft, nodes)

    def close(self, main):
        """main is the changeset to update to; its node is left in .hg/recipe-main"""
        self.tr.close()
        self.lock.release()
        self.repo.vfs.write(b"recipe-main", hex(main) + b"\n")


class Line:
    """A line of development: its newest changeset and what the files hold there."""

    def __init__(self, node, files, branch=b"default", left=0):
        self.node, self.files, self.branch, self.left = node, dict(files), branch, left

    def fork(self, branch=None, left=0):
        return Line(self.node, self.files, branch or self.branch, left)

    def grow(self, h, text=None, count=None, **extra):
        """a changeset that edits some files; the first ones are edited most"""
        names = list(self.files)
        count = h.rnd.choice((1, 1, 1, 2, 3)) if count is None else count
        picked = {names[min(int(h.rnd.expovariate(8 / len(names))), len(names) - 1)] for _ in range(count)}
        self.write(h, {p: h.edited(self.files[p]) for p in sorted(picked)}, text, **extra)

    def write(self, h, changes, text=None, **extra):
        self.node = h.commit((self.node,), changes, text, self.branch, **extra)
        self.files.update(changes)

    def merge(self, h, other):
        """takes what is here, with one more edit"""
        name = h.rnd.choice(list(self.files))
        changes = {name: h.edited(self.files[name])}
        self.node = h.commit((self.node, other.node), changes, b"merge " + h.words(1, 3), self.branch)
        self.files.update(changes)


def first(h, names, lines):
    files = {n: [h.line() for _ in range(lines)] for n in names}
    return Line(h.commit((h.repo.nodeconstants.nullid,), files, b"first import"), files)


def r1(path, scale):
    h = History(path, 1)
    shown, size = max(50, int(20000 * scale)), int((21 << 20) * scale)
    main = first(h, [b"README"] + [b"lib/part%02d/source%02d.py" % (i // 12, i % 12) for i in range(480)], 60)
    stable, side, nodes, drafts, markers = None, None, [main.node], [], []
    unknown = iter(range(1 << 40))
    used = 0

    def absent():
        return hashlib.sha1(b"never pulled %d" % next(unknown)).digest()

    def mark(old, new, parents, how=b"amend"):
        nonlocal used
        h.clock += 1
        meta = ((b"ef1", b"%d" % h.rnd.choice((1, 4, 8, 9, 12))), (b"operation", how), (b"user", h.rnd.choice(USERS)))
        markers.append((old, tuple(new), 0, meta, (float(h.clock), 0), parents))
        used += 19 + 20 * (1 + len(new) + len(parents or ())) + sum(2 + len(k) + len(v) for k, v in meta)

    while len(nodes) < shown:
        late = len(nodes) > shown - max(10, shown // 66)  # the last ones stay drafts
        below, olds = main.node, []
        if h.rnd.random() < 0.22:  # what comes was rewritten before, once or more
            for _ in range(h.rnd.choice((1, 1, 1, 2, 2))):
                old = main.fork()
                old.grow(h)
                olds.append(old.node)
                drafts.append(old.node)
        kind = h.rnd.random()
        if late or kind > 0.15 or olds:
            main.grow(h)
        elif stable is None:
            stable = main.fork(b"stable")
            stable.grow(h, b"branch stable", 0)
        elif kind < 0.08:
            stable.grow(h)
        elif kind < 0.09:
            main.merge(h, stable)
        elif side is None:
            side = main.fork(left=h.rnd.randint(1, 6))
            side.grow(h)
        elif side.left > 0:
            side.left -= 1
            side.grow(h)
        else:
            main.merge(h, side)
            side = None
        newest = h.repo.changelog.tip()
        nodes.append(newest)
        if late:
            drafts.append(newest)
        for old, new in zip(olds, olds[1:] + [newest]):
            mark(old, [new] if h.rnd.random() < 0.96 else [new, absent()], (below,))
    for _ in range(max(1, int(6 * scale))):  # instability: orphans, content-divergence, phase-divergence
        old, a, b = main.fork(), main.fork(), main.fork()
        for x in (old, a, b):
            x.grow(h)
            drafts.append(x.node)
        mark(old.node, [a.node], (main.node,))
        mark(old.node, [b.node], (main.node,), b"rebase")
        old.grow(h)
        public = h.rnd.choice(nodes[:len(nodes) // 2])
        c = main.fork()
        c.grow(h)
        drafts += [old.node, c.node]
        mark(public, [c.node], None)
    main.grow(h)
    drafts.append(main.node)
    while used < size:  # chains that came with pulls: into a changeset of ours, or nowhere
        ours = h.rnd.choice(nodes)
        end = h.rnd.choices((ours, absent(), None), (72, 20, 8))[0]
        chain = [absent() for _ in range(1 + min(12, int(h.rnd.expovariate(0.28))))]
        for old, new in zip(chain, chain[1:] + [end]):
            above = h.rnd.choice((main.node, absent(), None, ours))
            mark(old, [new] if new else [], above and (above,), b"amend" if new else b"prune")
    h.rnd.shuffle(markers)
    h.bookmark({b"@": main.node, b"review/one": nodes[-5], b"review/two": nodes[-30]})
    h.draft(drafts)
    h.close(main.node)
    with open(os.path.join(path, ".hg/store/obsstore"), "wb") as f:
        f.writelines(obsolete.encodemarkers(markers, addheader=True, version=1))
    with open(os.path.join(path, ".hg/hgrc"), "w") as f:
        f.write("[experimental]\nevolution = all\n")


def r2(path, scale):
    h = History(path, 2)
    count = max(60, int(200000 * scale))
    main = first(h, [b"README"] + [b"src/mod%d/file%d.c" % (i // 6, i % 6) for i in range(48)], 100)
    stable, release, sides, forgotten, tags = None, None, [], [], []

    def size():
        return len(h.repo.changelog)

    while size() < count * 0.999:
        n, kind = size(), h.rnd.random()
        if stable is None and n > count // 40:
            stable = main.fork(b"stable")
            stable.grow(h, b"branch stable", 0)
        elif release is None and n > count // 3:
            release = main.fork(b"release-1.x")
            release.grow(h, b"branch release-1.x", 0)
        elif len(tags) < 300 * n // count:
            name = b"v%d.%d" % divmod(len(tags), 10)
            tags.append(hex(main.node) + b" " + name + b"\n")
            main.write(h, {b".hgtags": list(tags)}, b"Added tag " + name)
        elif kind < 0.02 and len(sides) < 12:
            sides.append(main.fork(left=h.rnd.randint(2, 60)))
            sides[-1].grow(h)
        elif kind < 0.40 and sides:
            s = h.rnd.choice(sides)
            s.grow(h)
            s.left -= 1
            if s.left <= 0:
                sides.remove(s)
                fate = h.rnd.random()
                if fate < 0.94:
                    main.merge(h, s)
                elif fate < 0.97:
                    s.grow(h, b"close this line", 0, close=b"1")
                else:
                    forgotten.append(s.node)
        elif kind < 0.50 and stable:
            stable.grow(h)
            if h.rnd.random() < 0.05:
                main.merge(h, stable)
        elif kind < 0.52 and release:
            release.grow(h)
        else:
            main.grow(h)
    drafts = []
    while size() < count:
        line = h.rnd.choice(sides + [main])
        line.grow(h)
        drafts.append(line.node)
    names = {b"side/%02d" % i: s.node for i, s in enumerate(sides)}
    names.update({b"old/%02d" % i: n for i, n in enumerate(forgotten[:20])})
    h.bookmark({b"@": main.node, **names})
    h.draft(drafts)
    h.close(main.node)


IGNORE = rb"""syntax: regexp
^build/
^out/(debug|release)/
\.py[co]$
\.(o|obj|a|so)$
(^|/)\.?#[^/]*$
(^|/)node_modules/
(^|/)__pycache__/
(^|/)target/(debug|release)/

syntax: glob
*.orig
*.rej
*~
*.log
*.sw?
.idea
docs/_build
"""


def r3(path, scale):
    h = History(path, 3)
    files = max(100, int(100000 * scale))
    pool = [h.line() for _ in range(4000)]
    names = []
    for i in range(files - 1):
        folder = i // 20
        names.append(b"pkg%02d/area%d/part%03d/file%05d.%s" % (folder // 250, folder // 50 % 5, folder % 50, i,
                                                              h.rnd.choice((b"c", b"h", b"py", b"go", b"txt"))))
    content = {n: h.rnd.choices(pool, k=4 + min(110, int(h.rnd.expovariate(1 / 16)))) for n in names}
    content[b".hgignore"] = IGNORE.splitlines(True)
    main = Line(h.commit((h.repo.nodeconstants.nullid,), content, b"first import"), content)
    side = None
    for n in range(max(5, int(300 * scale))):
        if n % 25 == 10:
            side = main.fork()
        on = side if side and n % 25 == 11 else main
        if side and n % 25 == 14:
            main.merge(h, side)
            side = None
            continue
        picked = h.rnd.sample(names, 20)
        on.write(h, {p: h.edited(on.files[p]) for p in picked})
    h.close(main.node)


def twin(path, gitdir):
    """the same history in git: heads are branches, .hgtags' tags are tags, main is where the working copy is"""
    repo = hg.repository(uimod.ui.load(), os.fsencode(path)).unfiltered()
    shown = repo.filtered(b"visible")
    subprocess.check_call(["git", "init", "-q", "-b", "main", gitdir])
    importer = subprocess.Popen(["git", "-C", gitdir, "fast-import", "--quiet", "--force"], stdin=subprocess.PIPE)
    out = importer.stdin.write

    def ref(name, rev):
        out(b"reset refs/%s\nfrom :%d\n\n" % (name, rev + 1))

    for rev in shown.changelog.revs():
        ctx = repo[rev]
        name, _, mail = ctx.user().partition(b" <")
        who = b"%s <%s> %d +0000" % (name, mail.rstrip(b">"), ctx.date()[0])
        text = ctx.description()
        out(b"commit refs/import\nmark :%d\nauthor %s\ncommitter %s\ndata %d\n%s\n" % (rev + 1, who, who, len(text), text))
        parents = [p.rev() for p in ctx.parents() if p.rev() >= 0]
        for verb, p in zip((b"from", b"merge"), parents):
            out(b"%s :%d\n" % (verb, p + 1))
        if not parents:
            out(b"deleteall\n")
        names = ctx.files()
        if len(parents) == 2:  # what came from the second parent as it was is no change to hg
            old, new = ctx.p1().manifest(), ctx.manifest()
            names = sorted(old.diff(new))
        for p in names:
            if p in ctx:
                data = ctx[p].data()
                mode = {b"x": b"100755", b"l": b"120000"}.get(ctx.flags(p), b"100644")
                out(b"M %s inline %s\ndata %d\n%s\n" % (mode, p, len(data), data))
            else:
                out(b"D %s\n" % p)
        out(b"\n")
    main = shown[b"."].rev()
    ref(b"heads/main", main if main >= 0 else shown[b"tip"].rev())
    for name, node in repo._bookmarks.items():
        if name != b"@":
            ref(b"heads/" + name, repo[node].rev())
    for rev in shown.changelog.headrevs():
        ref(b"heads/head/%d" % rev, rev)
    for name, node in repo.tags().items():
        if name != b"tip":
            ref(b"tags/" + name, repo[node].rev())
    importer.stdin.close()
    assert importer.wait() == 0
    for args in (["update-ref", "-d", "refs/import"], ["reset", "-q", "--hard", "main"], ["gc", "-q"], ["commit-graph", "write"]):
        subprocess.check_call(["git", "-C", gitdir] + args, stderr=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description="Makes large repositories.")
    parser.add_argument("what", choices=("r1", "r2", "r3", "twin"))
    parser.add_argument("dir")
    parser.add_argument("gitdir", nargs="?")
    parser.add_argument("--scale", type=float, default=1.0)
    args = parser.parse_args()
    os.umask(0o022)
    if args.what == "twin":
        if not args.gitdir:
            parser.error("twin needs GITDIR")
        twin(args.dir, args.gitdir)
    else:
        {"r1": r1, "r2": r2, "r3": r3}[args.what](args.dir, args.scale)


if __name__ == "__main__":
    main()
