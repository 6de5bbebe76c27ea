# SPDX-License-Identifier: GPL-2.0-or-later
"""Pull a repository into a new one of another format.

usage: clone.py SOURCE DEST MAXINLINE [SECTION.NAME=VALUE]..., in the Python
that Mercurial runs in. Revlogs longer than MAXINLINE bytes are split.
"""
import sys

inline = int(sys.argv[3])
command = ['hg', 'clone', '--quiet', '--pull', '--noupdate'] + sys.argv[1:3]
for item in sys.argv[4:]:
    command += ['--config', item]
sys.argv = command  # before Mercurial is imported, which looks at it then

from mercurial import dispatch, revlog

assert isinstance(revlog._maxinline, int)
revlog._maxinline = inline
dispatch.run()
