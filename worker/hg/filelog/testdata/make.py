# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a repository that exercises revlogs, with Mercurial's own code.

usage: make.py DEST, in the Python that Mercurial runs in
"""
import os
import random
import sys

from mercurial import commands, extensions, hg, ui as uimod

rnd = random.Random(20260101)
u = uimod.ui.load()
u.setconfig(b'ui', b'quiet', True)
u.setconfig(b'ui', b'interactive', False)
u.setconfig(b'ui', b'merge', b'internal:local')
u.setconfig(b'ui', b'portablefilenames', b'ignore')
u.setconfig(b'ui', b'username', 'zoë <zoe@example.com>'.encode())
extensions.loadall(u)
dest = os.fsencode(sys.argv[1])
repo = hg.repository(u, dest, create=True)
os.chdir(dest)


def write(name, data):
    d = os.path.dirname(name)
    if d and not os.path.isdir(d):
        os.makedirs(d)
    with open(name, 'wb') as fp:
        fp.write(data)


count = [0]


def commit(text, **kw):
    count[0] += 1
    commands.addremove(u, repo, similarity=b'')
    with repo.wlock(), repo.lock():
        repo.commit(
            text,
            date=b'%d %d' % (1136214245 + 1000 * count[0], rnd.choice([0, -3600, 18000, 20700])),
            **kw
        )


names = [
    b'README', b'a/b/c.txt', b'CamelCase_File.TXT', b'aux', b'dir/con.txt', b'com1', b'.hidden', b'd.i/x', b'd.d/y',
    b'e.hg/z', b' lead', b'trail ', b'dot.', b'caf\xc3\xa9', b'latin\xe9', b'q?*:|<>"',
    b'long/' + b'Deep_Directory/' * 9 + b'A_Very_Long_File_Name_Indeed.TXT',
    b'long/' + b'x' * 130 + b'.c', b'tilde~1', b'two  blanks',
]
for i in range(500):
    names.append(b'many/%02d/file%03d.py' % (i % 37, i))
for n in names:
    write(n, b'content of %s\n' % n * rnd.randrange(1, 5))
write(b'empty', b'')
write(b'meta', b'\x01\nlooks like metadata\x01\n')
write(b'nul', b'\x00starts with zero')
write(b'u', b'u')
os.symlink(b'README', b'link')
os.chmod(b'a/b/c.txt', 0o755)
big = bytearray(rnd.randbytes(300000))
text = [b'line %d %d\n' % (i, rnd.randrange(1000)) for i in range(2000)]
write(b'big.bin', bytes(big))
write(b'text.txt', b''.join(text))
commit(b'first')

for i in range(120):
    for _ in range(rnd.randrange(1, 5)):
        op, at = rnd.randrange(3), rnd.randrange(len(text))
        if op == 0:
            text[at:at + rnd.randrange(5)] = []
        elif op == 1:
            text[at:at] = [b'new %d\n' % rnd.randrange(10**6) for _ in range(rnd.randrange(6))]
        else:
            text[at] = b'changed %d\n' % rnd.randrange(10**9)
    write(b'text.txt', b''.join(text))
    if i % 10 == 0:
        at = rnd.randrange(len(big) - 100)
        big[at:at + 50] = rnd.randbytes(rnd.randrange(100))
        write(b'big.bin', bytes(big))
    for n in rnd.sample(names[20:], 3):
        if os.path.exists(n):
            write(n, rnd.randbytes(rnd.randrange(20)).hex().encode() * 3 + b'\n')
    extra = {}
    if i == 30:
        extra = {b'note': b'back\\slash\nnl\rcr\x00' + b'12:zero', b'a:b'.replace(b':', b'_'): b'', b'u': b'\xc3\xa9'}
    if i == 40:
        commands.rename(u, repo, b'README', b'README.new')
        commands.copy(u, repo, b'text.txt', b'text copy.txt')
    if i == 50:
        commit(b'before the other branch')
        commands.update(u, repo, rev=b'20')
        commands.branch(u, repo, b'stable branch')
        write(b'only-stable', b'stable\n')
        commit(b'on stable')
        write(b'text.txt', b'stable version\n' + b''.join(text))
        commit('déjà vu\n\n second: line\x01\t\n  \n'.encode())
        commands.update(u, repo, rev=b'default')
        commands.merge(u, repo, node=b'stable branch')
        commit(b'merge')
        commands.update(u, repo, rev=b'stable branch')
        commit(b'close', extra={b'close': b'1'})
        commands.update(u, repo, rev=b'default')
        with open(b'text.txt', 'rb') as fp:
            text = fp.read().splitlines(True)
        continue
    if i == 60:
        os.unlink(names[30])
        os.unlink(b'link')
        os.symlink(b'big.bin', b'link')
    if i == 70:
        write(b'meta', b'\x01\n')
        write(b'empty', b'now not\n')
        write(b'README.new', b'\x01\nrenamed before\n')
    if i == 80:
        commands.rename(u, repo, b'meta', b'meta2')
    commit(b'change %d' % i, extra=extra)
commands.update(u, repo, rev=b'3')
write(b'only-third', b'another head\n')
commit(b'x\n' * 3000)
