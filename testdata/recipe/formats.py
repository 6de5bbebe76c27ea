# SPDX-License-Identifier: GPL-2.0-or-later
"""Recipes that write the same small history in different formats."""
import os

from bench import register

ALLOW_V2 = b"[storage]\ndirstate-v2.slow-path = allow\n"
ALLOW_NODEMAP = b"[storage]\nrevlog.persistent-nodemap.slow-path = allow\n"

PLAIN = {
    "zstd": (["format.revlog-compression=zstd"], b"", "revlogs compressed with zstd"),
    "zlib": (["format.revlog-compression=zlib"], b"", "revlogs compressed with zlib"),
    "uncompressed": (["format.revlog-compression=none"], b"", "revlogs that are not compressed"),
    "zlib-nogd": (["format.revlog-compression=zlib", "format.usegeneraldelta=no", "format.generaldelta=no", "format.sparse-revlog=no"], b"",
                  "zlib and deltas against the revision before: Mercurial's format up to 3.6"),
    "no-sparse-revlog": (["format.sparse-revlog=no"], b"", "general deltas without sparse reading"),
    "plain-store": (["format.usestore=no", "format.use-share-safe=no"], b"", "no store: revlogs in .hg/data under their own names"),
    "no-fncache": (["format.usefncache=no"], b"", "a store without fncache: names are encoded but never hashed"),
    "no-dotencode": (["format.dotencode=no"], b"", "a store that leaves leading dots and blanks"),
    "no-share-safe": (["format.use-share-safe=no"], b"", "all requirements in .hg/requires"),
    "dirstate-v2": (["format.use-dirstate-v2=yes", "storage.dirstate-v2.slow-path=allow"], ALLOW_V2, "dirstate-v2, allowed without Rust"),
    "dirstate-v2-refused": (["format.use-dirstate-v2=yes", "storage.dirstate-v2.slow-path=allow"], b"", "dirstate-v2, which a Mercurial without Rust refuses by default"),
    "tracked-hint": (["format.use-dirstate-tracked-hint=yes"], b"", "with a tracked-hint file"),
    "bookmarks-in-store": (["format.bookmarks-in-store=yes"], b"", "bookmarks in the store"),
    "nodemap": (["format.use-persistent-nodemap=yes", "storage.revlog.persistent-nodemap.slow-path=allow"], ALLOW_NODEMAP, "persistent nodemap, allowed without Rust"),
    "nodemap-refused": (["format.use-persistent-nodemap=yes", "storage.revlog.persistent-nodemap.slow-path=allow"], b"",
                        "persistent nodemap, which a Mercurial without Rust refuses by default"),
    "internal-phase": (["format.use-internal-phase=yes", "extensions.shelve="], b"", "internal phase: a shelved change that is hidden"),
    "archived-phase": (["format.exp-archived-phase=yes"], b"", "archived phase"),
    "treemanifest": (["experimental.treemanifest=yes"], b"", "a manifest for each folder"),
    "changelog-v2": (["format.exp-use-changelog-v2=enable-unstable-format-and-corrupt-my-data"], b"", "the experimental changelog format: not native"),
    "copies-sidedata": (["format.exp-use-copies-side-data-changeset=yes"], b"", "copies in the changelog's side data: not native"),
}


def format_recipe(config, hgrc, about):
    def make(b):
        b.init(*config, hgrc=hgrc)
        b.story()
        if "shelve" in config[-1]:
            b.append("a", "shelved\n")
            b.hg("shelve", "-q")
        b.settle()
        b.change("a", "first\nchanged\n")

    make.__doc__ = about
    return make


for name, (config, hgrc, about) in PLAIN.items():
    register(name, brief=True)(format_recipe(config, hgrc, about))


@register(brief=True)
def split_revlogs(b):
    """revlogs with their data in a .d file: changelog, manifest and a filelog grew over 128 KiB"""
    b.init("format.revlog-compression=none")
    for n in range(2):
        for i in range(12):
            b.write("folder/file-%02d" % i, "%d %d\n" % (n, i))
        b.write("big", "".join("%d %d %d\n" % (n, i, i * 7919 % 104729) for i in range(9000)))
        b.commit("grow %d" % n)
    b.commit("z" * 70000, "--config", "ui.allowemptycommit=yes")
    b.commit("y" * 70000, "--config", "ui.allowemptycommit=yes")
    b.hg("tag", "-q", "-r", "0", "v0")
    b.settle()


def shared(name, about, config=(), share=(), store_hgrc=b""):
    def make(b):
        b.init(*config, hgrc=store_hgrc)
        b.story()
        b.settle()
        b.hg("share", "--config", "extensions.share=", "-q", *share, "repo", "share", cwd=b.top)
        b.root = os.path.join(b.top, b"share")
        b.settle()
        b.hg("update", "-q", "2")
        b.hg("bookmark", "-q", "-r", "2", "in-share")
        b.settle()
        b.write("unknown", "x\n")

    make.__doc__ = about
    register(name, folder="share", brief=True)(make)


shared("share", "a share of a store that is not share-safe, by absolute path", config=["format.use-share-safe=no"])
shared("share-relative", "a share of a store that is not share-safe, by relative path", config=["format.use-share-safe=no"], share=["--relative"])
shared("share-safe", "a share-safe share, with settings of the store's repository", store_hgrc=b"[ui]\nusername = From Source <s@example.org>\n[paths]\nother = ../other\n")
shared("share-bookmarks", "a share that shares bookmarks too", share=["-B"])
shared("share-dirstate-v2", "a share with a dirstate-v2 of its own",
       config=["format.use-dirstate-v2=yes", "storage.dirstate-v2.slow-path=allow"], store_hgrc=ALLOW_V2)
