# SPDX-License-Identifier: GPL-2.0-or-later
#
# Compares random texts with Mercurial's mdiff: prints a JSON object a line, with
# the texts, the options as letters (w b Z B, x for xdiff) and the parts that
# mdiff.allblocks finds.
import json
import random
import sys

from mercurial import mdiff

rand = random.Random(int(sys.argv[1]))
count = int(sys.argv[2])
letters = sys.argv[3]


def word(n):
    return rand.choice(
        [b'%d' % rand.randrange(n), b'', b' ', b'\t}', b'  x ', b'{', b'a  b', b' \r', b'\f', b' \t%d' % rand.randrange(n)]
    )


def text(n, size):
    lines = [word(n) + b'\n' for _ in range(rand.randrange(size))]
    t = b''.join(lines)
    return t + word(n) if rand.random() < 0.2 else t


def block(n):
    k = rand.randrange(4)
    lines = []
    indent = 0
    for _ in range(rand.randrange(2, 12)):
        lines.append(b' ' * indent + rand.choice([b'f%d() {' % rand.randrange(n), b'return %d' % rand.randrange(n), b'}', b'', b'if x:']) + b'\n')
        indent = max(0, indent + rand.choice([-4, 0, 4]))
    return lines * (1 + (k == 0))


def edit(t, n):
    lines = mdiff.splitnewlines(t)
    for _ in range(rand.randrange(1, 6)):
        at = rand.randrange(len(lines) + 1)
        to = min(len(lines), at + rand.randrange(6))
        kind = rand.randrange(6)
        if kind == 0:
            lines[at:to] = []
        elif kind == 1:
            lines[at:at] = lines[at:to]
        elif kind == 2:
            lines[at:to] = [word(n) + b'\n' for _ in range(rand.randrange(4))]
        elif kind == 3:
            lines[at:at] = [b'\n'] * rand.randrange(3)
        elif kind == 4:
            moved = lines[at:to]
            lines[at:to] = []
            to = rand.randrange(len(lines) + 1)
            lines[to:to] = moved
        else:
            lines[at:to] = [l.replace(b' ', b'  ').replace(b'\n', b' \n') for l in lines[at:to]]
    return b''.join(lines)


def pair():
    kind = rand.randrange(5)
    n = rand.choice([1, 2, 5, 30, 1000])
    if kind == 0:
        return text(n, 12), text(n, 12)
    if kind == 1:
        return text(n, 200), text(n, 200)
    if kind == 2:
        a = b''.join(l for _ in range(rand.randrange(1, 20)) for l in block(n))
    else:
        a = text(n, rand.choice([8, 80, 400]))
    return a, edit(a, n)


def big():
    """More lines than a search looks at, and lines that are popular."""
    n = rand.choice([3, 50, 20000])
    lines = [b'%d\n' % rand.randrange(n) for _ in range(rand.choice([2000, 40000]))] if n > 3 else [b'%d\n' % rand.randrange(900) for _ in range(40000)]
    if rand.random() < 0.5:
        # So many changes that a search gives up, and runs that it finds good.
        new = []
        for at in range(0, min(len(lines), 8000), 60):
            new += lines[at : at + rand.choice([0, 30, 60])]
            new += [b'y%d\n' % rand.randrange(n) for _ in range(rand.choice([0, 1, 60]))]
        return b''.join(lines[:8000]), b''.join(new)
    new = list(lines)
    for _ in range(20):
        at = rand.randrange(len(new))
        new[at : at + rand.randrange(50)] = [b'x%d\n' % rand.randrange(n) for _ in range(rand.randrange(50))]
    return b''.join(lines), b''.join(new)


names = {'w': 'ignorews', 'b': 'ignorewsamount', 'Z': 'ignorewseol', 'B': 'ignoreblanklines', 'x': 'xdiff'}
for i in range(count):
    a, b = big() if i % 250 == 249 else pair()
    chosen = ''.join(l for l in letters if rand.random() < 0.3) if i % 2 else ('x' if 'x' in letters and rand.random() < 0.8 else '')
    opts = mdiff.diffopts(**{names[l]: True for l in chosen})
    given = rand.random() < 0.5
    if given:
        parts = mdiff.allblocks(a, b, opts, mdiff.splitnewlines(a), mdiff.splitnewlines(b))
    else:
        parts = mdiff.allblocks(a, b, opts)
    print(json.dumps({
        'a': a.decode('latin-1'), 'b': b.decode('latin-1'), 'options': chosen, 'given': given,
        'parts': [list(s) + [ord(k)] for s, k in parts],
    }))
