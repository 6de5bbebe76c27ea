# SPDX-License-Identifier: GPL-2.0-or-later
"""What hg makes of deltas, right and wrong ones: deltas.py SEED COUNT."""

import json
import random
import struct
import sys

from mercurial.cext import mpatch


def delta(rnd, size):
    out = b""
    pos = 0
    for _ in range(rnd.randrange(4)):
        start = min(size, pos + rnd.randrange(6)) if rnd.randrange(12) else rnd.randrange(-2, size + 4)
        end = min(size, start + rnd.randrange(6)) if rnd.randrange(12) else rnd.randrange(-2, size + 4)
        data = bytes(rnd.choice(b"abcdef") for _ in range(rnd.randrange(8)))
        told = len(data) if rnd.randrange(25) else rnd.randrange(-1, 12)
        out += struct.pack(">lll", start, end, told) + data
        pos = end
        if rnd.randrange(40) == 0:
            out += b"?" * rnd.randrange(13)
    return out


rnd = random.Random(int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    text = bytes(rnd.choice(b"0123456789") for _ in range(rnd.randrange(24)))
    deltas = [delta(rnd, len(text)) for _ in range(1 + rnd.randrange(5))]
    words, result = "", b""
    try:
        result = mpatch.patches(text, deltas)
    except mpatch.mpatchError as e:
        words = str(e)
    print(json.dumps({
        "text": text.decode("latin-1"),
        "deltas": [d.decode("latin-1") for d in deltas],
        "words": words,
        "result": result.decode("latin-1"),
    }))
