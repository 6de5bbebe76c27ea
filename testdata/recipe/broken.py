# SPDX-License-Identifier: GPL-2.0-or-later
"""Recipes that damage a good repository, each in one way."""
import os
import shutil

from bench import register


def damaged(name, about, *config, folder="repo", hgrc=b""):
    def enter(function):
        def make(b):
            b.init(*config, hgrc=hgrc)
            b.story()
            b.settle()
            shutil.rmtree(b.path(".hg/cache"))  # no cache may hide the damage
            function(b)

        make.__doc__ = about
        register("broken-" + name, folder=folder, broken=True)(make)
        return function

    return enter


def cut(b, name, size):
    """truncates to size bytes, or by -size"""
    data = b.read(name)
    b.write(name, data[:size])


def flip(b, name, at, mask=0xff):
    data = bytearray(b.read(name))
    data[at] ^= mask
    b.write(name, bytes(data))


@damaged("index-truncated", "the changelog ends in the middle of an entry")
def _(b):
    cut(b, ".hg/store/00changelog.i", -20)


@damaged("index-garbage", "the changelog is no revlog")
def _(b):
    b.write(".hg/store/00changelog.i", b"this is not a revlog at all\n" * 20)


@damaged("index-version", "the changelog has an unknown revlog version")
def _(b):
    flip(b, ".hg/store/00changelog.i", 3, 0x20)


@damaged("index-flags", "the changelog has unknown revlog flags")
def _(b):
    flip(b, ".hg/store/00changelog.i", 0, 0x40)


@damaged("chunk", "bytes of the last changeset's compressed text are wrong", "format.revlog-compression=zlib")
def _(b):
    flip(b, ".hg/store/00changelog.i", -5)


@damaged("chunk-zstd", "the same in a zstd chunk", "format.revlog-compression=zstd")
def _(b):
    flip(b, ".hg/store/00changelog.i", -5)


@damaged("chunk-hash", "a changeset's text was changed, its hash does not fit", "format.revlog-compression=none")
def _(b):
    data = b.read(".hg/store/00changelog.i")
    at = data.index(b"rename b")
    b.write(".hg/store/00changelog.i", data[:at] + b"RENAME" + data[at + 6:])


@damaged("chunk-header", "a chunk starts with an unknown compression header", "format.revlog-compression=zlib")
def _(b):
    flip(b, ".hg/store/00changelog.i", 64, 0x55)


@damaged("manifest-missing", "there is no manifest")
def _(b):
    b.remove(".hg/store/00manifest.i")


@damaged("manifest-truncated", "the manifest ends too early")
def _(b):
    cut(b, ".hg/store/00manifest.i", -40)


@damaged("filelog-missing", "a file's revlog is not there")
def _(b):
    b.remove(".hg/store/data/a.i")


@damaged("filelog-corrupt", "a file's text is damaged", "format.revlog-compression=none")
def _(b):
    flip(b, ".hg/store/data/a.i", 66, 0x01)


@damaged("changelog-missing", "there is no changelog, but a dirstate with parents")
def _(b):
    b.remove(".hg/store/00changelog.i")


@damaged("requirement-unknown", "an unknown requirement in the store")
def _(b):
    b.append(".hg/store/requires", "from-the-future\n")


@damaged("requirement-unknown-two", "two unknown requirements", "format.use-share-safe=no")
def _(b):
    b.append(".hg/requires", "zz-future\nfrom-the-future\n")


@damaged("requires-garbage", "a requires file that holds no names")
def _(b):
    b.write(".hg/requires", b"\x00\xff garbage\n")


@damaged("requires-missing", "no requires file: the oldest format")
def _(b):
    b.remove(".hg/requires")


@damaged("phaseroots", "a line of phaseroots that cannot be parsed")
def _(b):
    b.write(".hg/store/phaseroots", b"1 nothex\n")


@damaged("phaseroots-unknown", "phaseroots with unknown nodes and an unknown phase")
def _(b):
    b.append(".hg/store/phaseroots", b"1 " + b"1" * 40 + b"\n2 " + b"2" * 40 + b"\n")


@damaged("obsstore-version", "an obsstore of an unknown version", hgrc=b"[experimental]\nevolution = all\n")
def _(b):
    b.write(".hg/store/obsstore", b"\x7fgarbage")


@damaged("obsstore-truncated", "an obsstore that ends in the middle of a marker", hgrc=b"[experimental]\nevolution = all\n")
def _(b):
    b.hg("debugobsolete", b.node("2"), b.node("4"))
    cut(b, ".hg/store/obsstore", -7)


@damaged("bookmarks", "lines of bookmarks that are none, and nodes that nobody has")
def _(b):
    b.append(".hg/bookmarks", b"malformed\n" + b"1" * 40 + b" unknown-node\nnothex name\n")


@damaged("bookmarks-current", "the active bookmark is not one")
def _(b):
    b.write(".hg/bookmarks.current", b"nosuch")


@damaged("dirstate-short", "a dirstate that is too short for its parents")
def _(b):
    cut(b, ".hg/dirstate", 30)


@damaged("dirstate-truncated", "a dirstate that ends in the middle of an entry")
def _(b):
    cut(b, ".hg/dirstate", -6)


@damaged("dirstate-parent", "a dirstate whose parent nobody has")
def _(b):
    data = b.read(".hg/dirstate")
    b.write(".hg/dirstate", b"\x11" * 20 + data[20:])


@damaged("dirstate-v2-docket", "a dirstate-v2 docket that is garbage",
         "format.use-dirstate-v2=yes", "storage.dirstate-v2.slow-path=allow", hgrc=b"[storage]\ndirstate-v2.slow-path = allow\n")
def _(b):
    b.write(".hg/dirstate", b"garbage in place of a docket, and more than a hundred and ten bytes of it, so that a length would fit in it\n")


@damaged("dirstate-v2-data", "a dirstate-v2 whose data file is gone",
         "format.use-dirstate-v2=yes", "storage.dirstate-v2.slow-path=allow", hgrc=b"[storage]\ndirstate-v2.slow-path = allow\n")
def _(b):
    for name in os.listdir(b.path(".hg")):
        if name.startswith(b"dirstate."):
            b.remove(b".hg/" + name)


@damaged("branch", "a branch file with more than one line")
def _(b):
    b.write(".hg/branch", b"  odd name \nsecond line\n")


@damaged("localtags", "localtags with lines that are none")
def _(b):
    b.write(".hg/localtags", b"nonsense\n" + b"z" * 40 + b" bad\n" + b"1" * 40 + b" unknown\n")


@damaged("sharedpath", "a share whose source is gone", "format.use-share-safe=no", folder="share")
def _(b):
    b.hg("share", "--config", "extensions.share=", "-q", "repo", "share", cwd=b.top)
    shutil.rmtree(b.root)


@damaged("sharedpath-missing", "a share without a sharedpath", folder="share")
def _(b):
    b.hg("share", "--config", "extensions.share=", "-q", "repo", "share", cwd=b.top)
    os.unlink(os.path.join(b.top, b"share/.hg/sharedpath"))


@damaged("merge-state", "a merge state that is garbage, in a merge")
def _(b):
    b.hg("update", "-q", "0")
    b.write("beside", "x\n")
    b.commit("another head")
    b.hg("merge", "-q", "5")
    b.write(".hg/merge/state2", b"\x00\x01garbage")
    b.write(".hg/merge/state", b"garbage\n")
