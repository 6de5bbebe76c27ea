# SPDX-License-Identifier: GPL-2.0-or-later
"""Print every revision of every revlog of a repository, one JSON object a line.

usage: dump.py REPO, in the Python that Mercurial runs in

Bytes are given as strings of the code points 0 to 255, texts by their SHA-256.
"""
import hashlib
import json
import os
import sys

from mercurial import extensions, hg, ui as uimod

u = uimod.ui.load()
u.setconfig(b'storage', b'revlog.persistent-nodemap.slow-path', b'allow')
extensions.loadall(u)
repo = hg.repository(u, os.fsencode(sys.argv[1])).unfiltered()


def s(b):
    return b.decode('latin-1')


def sha(b):
    return hashlib.sha256(b).hexdigest()


def dump(kind, path, rl, more):
    for rev in range(len(rl)):
        text = rl.rawdata(rl.node(rev))
        d = {
            'kind': kind, 'path': s(path), 'rev': rev, 'node': rl.node(rev).hex(),
            'p1': rl.parentrevs(rev)[0], 'p2': rl.parentrevs(rev)[1], 'link': rl.linkrev(rev),
            'flags': rl.flags(rev), 'size': rl.size(rev), 'text': sha(text),
            'delta': rl.deltaparent(rev), 'inline': bool(rl._inline),
        }
        d.update(more(rev, rl.node(rev)))
        print(json.dumps(d))


def changeset(rev, n):
    c = repo.changelog.changelogrevision(rev)
    text = repo.changelog.revision(n)
    return {
        'manifest': c.manifest.hex(), 'user': s(text.split(b'\n')[1]), 'time': float(c.date[0]), 'tz': c.date[1],
        'extra': {s(k): s(v) for k, v in c.extra.items()}, 'files': [s(f) for f in c.files],
        'desc': s(text.split(b'\n\n', 1)[1]), 'closes': bool(c.branchinfo[1]),
    }


def manifest(rev, n):
    m = repo.manifestlog[n].read()
    h = hashlib.sha256()
    k = 0
    for f, fnode, flag in m.iterentries():
        h.update(f + b'\0' + fnode + flag + b'\n')
        k += 1
    return {'entries': h.hexdigest(), 'count': k}


def filerev(fl):
    def more(rev, n):
        r = fl.renamed(n)
        return {
            'copy': [s(r[0]), r[1].hex()] if r else None, 'content': sha(fl.read(n)), 'contentsize': fl.size(rev),
        }
    return more


dump('changelog', b'', repo.changelog, changeset)
ml = repo.manifestlog.getstorage(b'')
dump('manifest', b'', ml._revlog, manifest)
files = set()
for rev in repo:
    files.update(repo[rev].files())
for f in sorted(files):
    fl = repo.file(f)
    dump('filelog', f, fl._revlog, filerev(fl))
