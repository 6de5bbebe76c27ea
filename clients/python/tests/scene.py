# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests run against: a real broker, recorded repositories, hg if there is one.

HGBROKER_TEST_EXE names the broker's executable; without it, it is built from the
source tree around, once.
"""

import atexit
import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
HG = shutil.which(os.environ.get("HGBROKER_TEST_HG", "hg"))

# A real hg of few and known commands, for what has to take its time.
FAKE_HG = """#!/bin/sh
while [ "$1" = --config ]; do shift 2; done
case "$1" in
say) shift; printf '%s\\n' "$*" ;;
fail) echo out; echo err >&2; exit 3 ;;
copy) cat ;;
env) printf '%s' "$(eval echo \\"\\$$2\\")" ;;
rest) echo $$ > "$2"; exec sleep 1000 ;;
both) echo out1; echo err1 >&2; echo out2; exit 3 ;;
pour) dd if=/dev/zero bs=65536 count="$2" 2>/dev/null | tr '\\0' 'x' ;;
*) echo "fake: $1" ;;
esac
"""

_built = ""  # directory of what was built


def executable():
    exe = os.environ.get("HGBROKER_TEST_EXE")
    if exe:
        return exe
    global _built
    if not _built:
        if shutil.which("go") is None:
            raise unittest.SkipTest("no broker: HGBROKER_TEST_EXE is not set, and there is no go to build it")
        _built = tempfile.mkdtemp(prefix="hgb")
        atexit.register(shutil.rmtree, _built)
        subprocess.run(["go", "build", "-o", _built + "/", "./broker/hgbroker"], cwd=TREE, check=True)
    return os.path.join(_built, "hgbroker")


class Scene:
    """A runtime directory of its own, and repositories to ask about."""

    def __init__(self, test):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix="hgb"))
        test.addCleanup(self._end)
        self.fake = os.path.join(self.dir, "hg")
        with open(self.fake, "w") as f:
            f.write(FAKE_HG)
        os.chmod(self.fake, 0o700)
        os.mkdir(os.path.join(self.dir, "rt"), 0o700)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("HG", "CHG"))}
        self.env.update(HGRCPATH="", HGUSER="test", LC_ALL="C.UTF-8", LANGUAGE="", HGBROKER_RUNTIME_DIR=os.path.join(self.dir, "rt"))
        self.exe = executable()
        self.native = dict(command=[self.exe, "--stdio"], env=self.env, fallback="never")
        self.faking = dict(command=[self.exe, "--stdio", "--hg=" + self.fake], env=self.env)
        if HG:
            self.real = dict(command=[self.exe, "--stdio", "--hg=" + HG], env=self.env)

    def _end(self):
        subprocess.run([self.exe, "stop"], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir)

    def recorded(self, name):
        """The directory of a recorded repository, unpacked anew."""
        into = os.path.join(self.dir, name)
        with tarfile.open(os.path.join(TREE, "testdata", "repos", name + ".tar.gz")) as archive:
            if hasattr(tarfile, "fully_trusted_filter"):
                archive.extraction_filter = tarfile.fully_trusted_filter
            archive.extractall(into)
        return os.path.join(into, "repo")

    def deleted_and_changed(self):
        """A repository about whose merge hg has a question. Made by hg."""
        root = os.path.join(self.dir, "question")
        self.hg(self.dir, "init", root)
        for command in ["echo a > a; hg add a; hg commit -m a", "hg remove a; hg commit -m removed", "hg update -q 0; echo b > a; hg commit -m changed"]:
            subprocess.run(["sh", "-c", 'hg() { "$HG_TEST" "$@"; }; ' + command], cwd=root, env=dict(self.env, HG_TEST=HG), check=True, stdout=subprocess.DEVNULL)
        return root

    def hg(self, cwd, *args):
        """What the real hg prints."""
        return subprocess.run([HG, *args], cwd=cwd, env=self.env, check=True, stdout=subprocess.PIPE).stdout


needs_hg = unittest.skipUnless(HG, "no Mercurial to compare with (HGBROKER_TEST_HG, or hg on PATH)")
