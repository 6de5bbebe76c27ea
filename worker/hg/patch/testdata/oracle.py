# SPDX-License-Identifier: GPL-2.0-or-later
#
# Compares random contents with Mercurial's mdiff. Prints a JSON object a line:
# the contents, the options, and what mdiff.unidiff and mdiff.b85diff make of them.
import json
import random
import sys

from mercurial import mdiff

rand = random.Random(int(sys.argv[1]))
count = int(sys.argv[2])


def word():
    return rand.choice([b'', b'def f%d():' % rand.randrange(9), b'  x = %d' % rand.randrange(5), b'\tif a:', b'}', b' ', b'_x', b'$y',
                        b'9 lives', b'caf\xc3\xa9 ' * 20, b'long name ' * 9, b'\r', b'#', b'a\rb', b'-- a', b'++ b', b'+', b'\f '])


def lines(n):
    return [word() + b'\n' for _ in range(rand.randrange(n))]


def cut(ls):
    t = b''.join(ls)
    return t[:-1] if t and rand.random() < 0.3 else t


def pair():
    a = lines(rand.choice([1, 3, 20, 60]))
    b = list(a)
    for _ in range(rand.randrange(5)):
        at = rand.randrange(len(b) + 1)
        b[at : at + rand.randrange(3)] = lines(4)
        if b and rand.random() < 0.3:
            at = rand.randrange(len(b))
            b[at] = b[at].replace(b'\n', b' \n')
    if rand.random() < 0.1:
        b = lines(9)
    return cut(a), cut(b)


def binary():
    kind = rand.randrange(6)
    n = rand.choice([0, 1, 3, 50, 1000, 30000, 70000, 140000])
    n += rand.randrange(-300, 300)
    n = max(n, 0)
    if kind == 0:
        return rand.randbytes(n)
    if kind == 1:
        return bytes(rand.choices(b'ab', k=n))
    if kind == 2:
        piece = rand.randbytes(rand.randrange(1, 33000))
        out = b''
        while len(out) < n:
            at = rand.randrange(len(piece))
            out += piece[at : at + rand.randrange(1, 300)]
        return out
    if kind == 3:
        return bytes(n)
    if kind == 4:
        weights = [2 ** -i for i in range(40)]
        return bytes(rand.choices(range(40), weights, k=n))
    return b''.join(rand.choices([b'alpha', b'beta ', b'gamma\0', b'\n', b'%d' % rand.randrange(9999)], k=n // 5))


names = ['ignorews', 'ignorewsamount', 'ignorewseol', 'ignoreblanklines', 'nodates', 'noprefix', 'git', 'showfunc']
for i in range(count):
    if i % 6 == 5:
        new = binary()
        out = mdiff.b85diff(b'x' if new != b'x' else b'y', new)
        print(json.dumps({'new': new.decode('latin-1'), 'binary': True, 'out': out.decode('latin-1')}))
        continue
    old, new = pair()
    chosen = [n for n in names if rand.random() < 0.25]
    opts = mdiff.diffopts(context=rand.choice([0, 1, 2, 3, 3, 3, 10]), **{n: True for n in chosen})
    gone = rand.choice(['', '', '', 'old', 'new'])
    a = None if gone == 'old' else old
    b = None if gone == 'new' else new
    names1 = rand.choice([(b'f', b'f'), (b'a b', b'a b'), (b'f', b'g h')])
    header, hunks = mdiff.unidiff(a, b'DATE1', b, b'DATE2', names1[0], names1[1], False, opts)
    text = b''.join(b''.join(l) for r, l in hunks)
    print(json.dumps({
        'old': old.decode('latin-1'), 'new': new.decode('latin-1'), 'gone': gone, 'options': chosen, 'context': opts.context,
        'names': [n.decode('latin-1') for n in names1], 'header': b''.join(l + b'\n' for l in header).decode('latin-1'),
        'out': text.decode('latin-1'),
    }))
