# SPDX-License-Identifier: GPL-2.0-or-later
"""What the recipes are written with: real hg, fixed dates and users, fixed mtimes.

A recipe is a function that takes a Bench and makes one or more folders below
bench.top, in most cases only bench.root. Its docstring says what it is there
for. register() gives it its name.
"""
import os
import subprocess

RECIPES = {}

# The mtime of all files at the end of settle(): the dirstate then knows it.
SETTLED = 1500000000 * 10**9 + 123456789


def register(name=None, folder="repo", brief=False, broken=False):
    """Enters a recipe: the folder to run commands in, whether the short list
    of command lines is enough for it, whether it is damaged on purpose."""

    def enter(function):
        key = name or function.__name__.replace("_", "-")
        assert key not in RECIPES, key
        RECIPES[key] = {"make": function, "dir": folder, "brief": brief or broken, "broken": broken}
        return function

    return enter


class Bench:
    def __init__(self, hg, top, scratch):
        self.hgpath, self.top, self.scratch = os.fsencode(hg), os.fsencode(top), os.fsencode(scratch)
        self.root = os.path.join(self.top, b"repo")
        self.clock = 1400000000
        self.config = []
        uuids = os.path.join(self.scratch, b"uuids")
        with open(uuids, "w") as f:  # names of dirstate-v2 and nodemap data files
            f.write("1234")
        self.env = {b"HGRCPATH": b"", b"LC_ALL": b"C.UTF-8", b"TZ": b"UTC", b"PATH": os.environb[b"PATH"], b"HGTEST_UUIDFILE": uuids,
                    b"HGUSER": b"Ada Stone <ada@example.org>", b"HGMERGE": b":merge", b"HOME": b"/nonexistent"}

    # running hg

    def hg(self, *args, cwd=None, code=0, env=None):
        """runs hg in the repository and returns what it printed"""
        self.clock += 100
        command = [self.hgpath, b"--config", b"devel.default-date=%d 0" % self.clock, b"--config", b"ui.interactive=no"]
        for c in self.config:
            command += [b"--config", c]
        command += [a if isinstance(a, bytes) else a.encode() for a in args]
        done = subprocess.run(command, cwd=cwd or self.root, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != code:
            raise RuntimeError("%r: exit %d, expected %d\n%s%s" % (
                command[3:], done.returncode, code, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")))
        return done.stdout

    def init(self, *config, hgrc=b""):
        """a new repository; config are settings NAME=VALUE for it and all later commands"""
        self.config += [c.encode() for c in config]
        self.hg("init", self.root, cwd=self.top)
        self.hgrc(hgrc)

    def hgrc(self, text):
        self.write(".hg/hgrc", text)

    def commit(self, message, *args, user=None, date=None, **opts):
        if user:
            args += ("-u", user)
        if date:
            args += ("-d", date)
        self.hg("commit", "-A", "-m", message, *args, **opts)
        return self.node(".")

    def node(self, rev):
        return self.hg("log", "--hidden", "-r", rev, "-T", "{node}").decode()

    # files

    def path(self, name):
        return os.path.join(self.root, name if isinstance(name, bytes) else name.encode())

    def write(self, name, data, mode=None):
        p = self.path(name)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        with open(p, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        if mode is not None:
            os.chmod(p, mode)

    def append(self, name, data):
        with open(self.path(name), "ab") as f:
            f.write(data if isinstance(data, bytes) else data.encode())

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def link(self, target, name):
        p = self.path(name)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        if os.path.lexists(p):
            os.unlink(p)
        os.symlink(target, p)

    def remove(self, name):
        os.unlink(self.path(name))

    def change(self, name, data):
        """changes a file after settle(): its mtime is an hour later"""
        self.write(name, data)
        self.stamp(name, SETTLED + 3600 * 10**9)

    def stamp(self, name, ns=SETTLED):
        os.utime(self.path(name), ns=(ns, ns), follow_symlinks=False)

    def settle(self):
        """gives all files of the working copy the same old mtime and has hg note it in the dirstate"""
        for folder, folders, files in os.walk(self.root):
            if b".hg" in folders:
                folders.remove(b".hg")
            for name in files + folders:
                os.utime(os.path.join(folder, name), ns=(SETTLED, SETTLED), follow_symlinks=False)
        self.hg("status", "-q")

    # what many recipes start from

    def story(self, prefix=""):
        """a small history: two branches, a merge, a tag, a bookmark, a rename"""
        self.write(prefix + "a", "first\n")
        self.write(prefix + "dir/b", "1\n2\n3\n")
        self.write(prefix + "run.sh", "#!/bin/sh\n", 0o755)
        self.commit("start")
        self.write(prefix + "a", "first\nsecond\n")
        self.commit("change a\n\nwith a longer text\nof two lines")
        self.hg("tag", "-r", "1", "v1")
        self.hg("update", "-q", "1")
        self.hg("branch", "-q", "stable")
        self.hg("rename", "-q", prefix + "dir/b", prefix + "dir/c")
        self.append(prefix + "dir/c", "4\n")
        self.commit("rename b", user="Bob River <bob@example.org>")
        self.hg("update", "-q", "default")
        self.hg("merge", "-q", "stable")
        self.commit("merge stable")
        self.hg("bookmark", "-r", "3", "feature")
        self.write(prefix + "empty", "")
        self.link("a", prefix + "link")
        self.commit("empty file and link", user="carol")
