# SPDX-License-Identifier: GPL-2.0-or-later
"""Recipes for what a store holds: changesets, names, markers."""
import os
import sys

from bench import register


@register()
def empty(b):
    """no changeset at all, nothing in the working copy"""
    b.init()


@register(folder="outside")
def no_repository(b):
    """a folder that is not in any repository"""
    os.mkdir(os.path.join(b.top, b"outside"))
    with open(os.path.join(b.top, b"outside/file"), "w") as f:
        f.write("x\n")


@register()
def linear(b):
    """a dozen changesets in a row, files added, changed and removed; the plainest repository"""
    b.init()
    for n in range(12):
        b.write("main.txt", "".join("line %d\n" % i for i in range(n + 1)))
        b.write("src/mod%d.c" % (n % 4), "int v = %d;\n" % n)
        if n == 5:
            b.write("gone", "x\n")
        if n == 7:
            b.hg("remove", "-q", "gone")
        b.commit("step %d" % n if n % 3 else "step %d\n\nIt has a second paragraph,\nof two lines." % n,
                 user=["Ada Stone <ada@example.org>", "bob", "Zoë <zoe@example.org>"][n % 3], date="%d %d" % (1300000000 + n * 86400, (n % 5 - 2) * 3600))
    b.settle()


@register()
def merges_renames(b):
    """copies and renames, along branches and across merges, with both sides changed; merges without changes"""
    b.init()
    b.write("a", "".join("a%d\n" % i for i in range(10)))
    b.write("b", "b\n")
    b.write("d/x", "x\n")
    b.write("d/y", "y\n")
    b.commit("base")
    b.hg("copy", "-q", "a", "a2")
    b.commit("copy a to a2")
    b.hg("rename", "-q", "d", "e")
    b.append("e/x", "more\n")
    b.commit("rename d to e, change e/x")
    b.hg("update", "-q", "0")
    b.write("a", b.read("a").replace(b"a3", b"A3"))
    b.write("d/z", "z\n")
    b.commit("other side: change a, add d/z")
    b.hg("rename", "-q", "b", "b2")
    b.commit("other side: rename b")
    b.hg("merge", "-q", "2")
    b.commit("merge")
    b.hg("rename", "-q", "a2", "a3")
    b.hg("rename", "-q", "b2", "b")
    b.commit("rename back and on")
    b.hg("update", "-q", "2")
    b.append("a2", "tail\n")
    b.commit("another head on 2")
    b.hg("merge", "-q", "6")
    b.commit("second merge\n\nof a renamed file")
    b.hg("update", "-q", "5")
    b.hg("copy", "-q", "--force", "e/x", "a")
    b.commit("copy over an existing file")
    b.hg("update", "-q", "8")
    b.hg("merge", "-q", "9", "--tool", ":local")
    b.hg("resolve", "-q", "-m", "-a")
    b.commit("merge, ours")
    b.settle()


@register()
def branches(b):
    """named branches: several heads, closed heads, closed and reopened, a branch named like others"""
    b.init()
    b.write("f", "0\n")
    b.commit("root")
    for name in ["stable", "feature/x", "with space", "1.0.x", "Stable"]:
        b.hg("update", "-q", "0")
        b.hg("branch", "-q", name)
        b.write("f-" + name.replace("/", "-"), name + "\n")
        b.commit("open " + name)
    b.hg("update", "-q", "stable")
    b.write("g", "g\n")
    b.commit("stable goes on")
    b.hg("commit", "-q", "--close-branch", "-m", "close stable")
    b.hg("update", "-q", "1")
    b.write("h", "h\n")
    b.commit("second head of stable")
    b.hg("update", "-q", "feature/x")
    b.hg("commit", "-q", "--close-branch", "-m", "close feature")
    b.hg("update", "-q", "1.0.x")
    b.hg("commit", "-q", "--close-branch", "-m", "close 1.0.x")
    b.write("again", "1\n")
    b.commit("reopen 1.0.x")
    b.hg("update", "-q", "0")
    b.write("i", "i\n")
    b.commit("default goes on")
    b.hg("merge", "-q", "with space")
    b.commit("merge 'with space' into default")
    b.hg("update", "-q", "0")
    b.write("k", "k\n")
    b.commit("second head of default", "--config", "ui.quiet=yes")
    b.hg("commit", "-q", "--close-branch", "-m", "close the second head")
    b.hg("update", "-q", "with space")
    b.settle()


EVOLUTION = b"[experimental]\nevolution = all\n"


@register()
def obsolescence(b):
    """amended, pruned, split, folded and divergent changesets; orphans; hidden ones, and obsolete ones kept visible
    by a bookmark, a local tag and the working directory; markers about unknown changesets"""
    b.init(hgrc=EVOLUTION)
    b.write("f", "0\n")
    root = b.commit("root")
    b.hg("phase", "-q", "-p", root)

    def child(of, message):
        b.hg("update", "-q", "--hidden", of)
        b.write(message.split()[0], message + "\n")
        return b.commit(message)

    def marker(old, *new, **opts):
        args = ["-u", "Ada Stone <ada@example.org>", "-d", "%d 0" % (b.clock + 7), old] + list(new)
        if "flags" in opts:
            args = ["--flags", str(opts["flags"])] + args
        if opts.get("parents"):
            args = ["--record-parents"] + args
        b.hg("debugobsolete", *args)

    a1, a2, a3 = child(root, "amend1"), child(root, "amend2"), child(root, "amend3")
    marker(a1, a2)
    marker(a2, a3)
    p = child(root, "pruned")
    kid = child(p, "orphan on a pruned one")
    child(kid, "orphan of an orphan")
    marker(p, parents=True)
    s = child(root, "splitme")
    s1 = child(root, "split1")
    s2 = child(s1, "split2")
    marker(s, s1, s2)
    f1 = child(root, "fold1")
    f2 = child(f1, "fold2")
    f = child(root, "folded")
    marker(f1, f)
    marker(f2, f)
    d, d1, d2 = child(root, "diverge"), child(root, "diverge1"), child(root, "diverge2")
    marker(d, d1)
    marker(d, d2)
    m = child(root, "kept by a bookmark")
    marker(m)
    b.hg("bookmark", "-q", "--hidden", "-r", m, "pin")
    t = child(root, "tagged locally")
    marker(t, a3)
    b.hg("tag", "-q", "--hidden", "--local", "-r", t, "pinned-tag")
    pub = child(root, "public yet obsolete")
    late = child(root, "phase-divergent successor")
    marker(pub, late)
    b.hg("phase", "-q", "--hidden", "-p", pub)
    marker("1" * 40, a3)
    marker(late, "2" * 40, flags=1)
    x = child(root, "extinct")
    child(x, "child also extinct")
    marker(b.node("."))
    marker(x)
    w = child(root, "where the working directory is")
    marker(w, "3" * 40)
    b.settle()


@register()
def obsolete_unread(b):
    """markers in a repository where evolution is not enabled: hg warns and hides all the same"""
    obsolescence(b)
    b.hgrc(b"")


@register(brief=True)
def obsstore_v0(b):
    """markers in the first format of the obsstore"""
    b.config = [b"format.obsstore-version=0"]
    b.init(hgrc=EVOLUTION)
    b.write("f", "0\n")
    b.commit("root")
    for n in range(3):
        b.write("f", "%d\n" % n)
        b.write("g", "%d\n" % n)
        b.hg("commit", "-q", "-A", "-m", "try %d" % n)
        b.hg("commit", "-q", "--amend", "-m", "try %d, better" % n)
    b.settle()


@register()
def phases(b):
    """public, draft and secret changesets, on several branches of the history"""
    b.init()
    for n in range(6):
        b.write("f%d" % n, "%d\n" % n)
        b.commit("trunk %d" % n)
    b.hg("phase", "-q", "-p", "2")
    b.hg("update", "-q", "1")
    b.write("s", "s\n")
    b.commit("secret one", "--secret")
    b.write("s", "s2\n")
    b.commit("secret two")
    b.hg("update", "-q", "3")
    b.write("t", "t\n")
    b.commit("draft beside")
    b.hg("phase", "-q", "-s", "-f", "5")
    b.hg("update", "-q", "2")
    b.settle()


@register()
def bookmarks_tags(b):
    """bookmarks (active, divergent, moved, odd names) and tags (global, local, moved, removed, on several heads, unknown node)"""
    b.init()
    for n in range(5):
        b.write("f", "%d\n" % n)
        b.commit("change %d" % n)
    b.hg("tag", "-q", "-r", "0", "v0.1", "zero")
    b.hg("tag", "-q", "-r", "1", "v0.2")
    b.hg("tag", "-q", "-f", "-r", "2", "v0.2")
    b.hg("tag", "-q", "-r", "2", "to be removed")
    b.hg("tag", "-q", "--remove", "to be removed")
    b.hg("tag", "-q", "-r", "3", "étiquette")
    b.hg("update", "-q", "2")
    b.write("g", "g\n")
    b.commit("another head")
    b.hg("tag", "-q", "-r", "4", "only-there")
    b.hg("tag", "-q", "-f", "-r", "1", "v0.1")
    b.append(".hgtags", "1" * 40 + " nowhere\nnot a line of tags\n\n")
    b.commit("tag of an unknown node")
    b.hg("tag", "-q", "--local", "-r", "2", "mine")
    b.hg("tag", "-q", "--local", "-f", "-r", "4", "zero")
    for name, rev in [("@", "4"), ("feature", "3"), ("feature@other", "2"), ("with space", "0"), ("mårk", "1"), ("dead", "4")]:
        b.hg("bookmark", "-q", "-r", rev, name)
    b.hg("update", "-q", "feature")
    b.settle()


@register()
def texts(b):
    """users, descriptions and dates that are hard to print: latin-1 input, UTF-8, markup, control characters, blanks, odd zones"""
    b.init()
    latin = {b"HGENCODING": b"latin-1"}
    cases = [
        (b"caf\xe9 in latin-1", b"J\xf6rg <j@example.org>", "1200000000 -3600", latin),
        ("Überschrift ☃\n\n• eins\n• zwei".encode(), "日本 太郎 <taro@example.jp>".encode(), "1200000100 -32400", None),
        (b"<b>&amp;</b> \"quotes\" 'single' \\n {rev}", b'"Frank, F." <frank.f@example.org>', "1200000200 12345", None),
        (b"   leading blanks\n\ttab\n  \nlast   ", b"no address", "0 0", None),
        (b"control \x01\x07\x1b[31m\x7f\r\ncrlf", b"<only@example.org>", "2147483647 43200", None),
        (b"one line that is quite long: " + b"word " * 30, b"a.b.c@example.org", "-86400 0", None),
        (b"\n\nempty lines first", b"x <broken@", "951782400 -19800", None),
        ("x" * 200, b"  blanks   around  <b@example.org>  ", "1500000000 43200", None),
    ]
    for n, (text, user, date, env) in enumerate(cases):
        b.write("f", "%d\n" % n)
        b.commit(text, user=user, date=date, env=env)
    b.settle()


@register()
def names(b):
    """file names: not UTF-8, latin-1, control characters, blanks, quotes, pattern characters, reserved by Windows, mixed case,
    .i and .d folders, a leading dash; each changed once"""
    b.init()
    odd = [
        b"latin-\xe9\xe8", "ümlaut".encode(), "日本/語".encode(), b"bad\xff\xfe/x", b"ctl\x01\x1b\x7f", b"a b", b" lead", b"trail ", b"end.", b"quo'te\"d",
        b"st*r", b"qu?stion", b"[x]", b"{y,z}", b"back\\slash", b"co:lon", b"ti~lde", b"aux", b"con.txt", b"sub/nul.c", b"com1", b"UPPER", b"MixedCase/File.Txt",
        b"mixedcase/file.txt", b"dir.i/f", b"dir.d/f", b"dir.hg/f.i", b".dot", b"..two", b".hgx/y", b"_under_", b"-dash", b"d/-", b"#hash", b"per%20cent", b"$HOME", b"tab\there",
    ]
    for name in odd:
        b.write(name, name + b"\n")
    b.commit("odd names")
    for name in odd:
        b.append(name, b"again\n")
    b.commit("and again")
    b.settle()
    b.change(b"latin-\xe9\xe8", b"changed\n")
    b.write(b"unknown-\xfc", b"?\n")
    b.remove(b"bad\xff\xfe/x")


@register()
def long_names(b):
    """names longer than the store's limit of 120, which it hashes: deep folders, long parts, upper case that doubles"""
    b.init()
    for name in ["deep/" + "/".join(["level%02d" % n for n in range(20)]) + "/file.txt", "L" * 70, "l" * 118, "l" * 119, "l" * 130 + ".ext",
                 "d" * 40 + "/" + "e" * 40 + "/" + "f" * 40, "UPPER" * 14 + "/X", "aux/" + "com1." * 24 + "x", ".dots" * 25, "ü" * 50, "x" * 90 + "/" + ("y" * 90), "short"]:
        b.write(name, name + "\n")
    b.commit("long names")
    b.append("l" * 118, "2\n")
    b.append("ü" * 50, "2\n")
    b.hg("copy", "-q", "l" * 119, "m" * 125)
    b.commit("change two, copy one")
    b.settle()


@register()
def modes(b):
    """executable files and symlinks: added, flipped, replaced by each other, dangling, to folders, out of the repository"""
    b.init()
    b.write("plain", "x\n")
    b.write("run", "#!/bin/sh\n", 0o755)
    b.link("plain", "link")
    b.link("no/such", "dangling")
    b.link("../../out", "outside")
    b.link(b"t\xe9", "latin-target")
    b.write("dir/in", "in\n")
    b.link("dir", "dirlink")
    b.commit("modes")
    os.chmod(b.path("plain"), 0o755)
    os.chmod(b.path("run"), 0o644)
    b.commit("flip")
    b.link("run", "plain")
    b.remove("link")
    b.write("link", "no link any more\n")
    b.commit("change kinds")
    b.settle()
    os.chmod(b.path("run"), 0o755)
    b.link("elsewhere", "dangling")
    b.remove("outside")
    b.write("outside", "../../out")
    b.remove("dirlink")
    os.mkdir(b.path("dirlink"))
    b.write("dirlink/f", "f\n")


@register()
def binary(b):
    """file contents: binary, empty, without a last newline, crlf, looking like metadata, big ones with long delta chains"""
    b.init()
    big = ["line %d of a file that is long enough to be stored as deltas\n" % i for i in range(3000)]
    for n in range(6):
        b.write("bin", bytes((i * (n + 1)) & 255 for i in range(600)))
        b.write("crlf", "a\r\nb\r\n%d" % n)
        b.write("meta", b"\1\nkey: %d\n\1\nrest" % n)
        b.write("meta2", b"\1\n" * (n + 1))
        b.write("empty", b"" if n % 2 else b"not\n")
        b.write("nul", b"\0" * n)
        big[n * 100] = "changed %d\n" % n
        b.write("big", "".join(big))
        b.commit("contents %d" % n)
    b.settle()


@register()
def extras(b):
    """changesets with extra fields (closed, amended, grafted), of several roots"""
    b.init(hgrc=b"")
    b.write("a", "a\n")
    b.commit("one")
    b.write("a", "aa\n")
    b.commit("two")
    b.hg("update", "-q", "0")
    b.write("b", "b\n")
    b.commit("beside")
    b.hg("graft", "-q", "1")
    b.hg("commit", "-q", "--amend", "-m", "amended", "--config", "ui.allowemptycommit=yes")
    b.hg("update", "-q", "null")
    b.write("c", "c\n")
    b.commit("second root")
    b.hg("commit", "-q", "--close-branch", "-m", "close it")
    b.hg("merge", "-q", "3")
    b.commit("merge of two roots")
    b.settle()


def random_recipe(seed, variant):
    def make(b):
        import subprocess
        python = os.environ.get("RECIPE_PYTHON", sys.executable)
        subprocess.run([python, os.path.join(os.path.dirname(os.path.abspath(__file__)), "random_repo.py"), "--seed", str(seed),
                        "--variant", variant, "--out", os.fsdecode(b.root)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    make.__doc__ = "random_repo.py, seed %d, variant %r: what no recipe thought of" % (seed, variant)
    return make


for number, (seed, variant) in enumerate([(7, ""), (11, "evolution"), (23, "evolution,dirstate-v2"), (31, "split,zlib"), (48, "no-evolution")]):
    register("random-%d" % (number + 1))(random_recipe(seed, variant))
