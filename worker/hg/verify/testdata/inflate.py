# SPDX-License-Identifier: GPL-2.0-or-later
"""What Python's zlib says of damaged streams: inflate.py SEED COUNT."""

import json
import random
import sys
import zlib


def damaged(rnd):
    kind = rnd.randrange(5)
    text = bytes(rnd.choice(b"abcdefgh \n") for _ in range(rnd.randrange(400)))
    text *= 1 + rnd.randrange(3)
    if kind == 0:
        return b"x" + bytes(rnd.randrange(256) for _ in range(rnd.randrange(60)))
    if kind == 1:  # a right header before noise, to reach the blocks
        return b"x\x9c" + bytes(rnd.randrange(256) for _ in range(rnd.randrange(200)))
    if kind == 2:  # a block with codes of its own
        return b"x\x9c" + bytes([5 | rnd.randrange(32) << 3]) + bytes(rnd.randrange(256) for _ in range(rnd.randrange(200)))
    c = zlib.compressobj(rnd.randrange(10), 8, 15, 8, rnd.choice([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY]))
    stream = bytearray(c.compress(text) + c.flush())
    for _ in range(rnd.randrange(3)):
        stream[rnd.randrange(len(stream))] ^= 1 << rnd.randrange(8)
    if rnd.randrange(4) == 0:
        del stream[rnd.randrange(len(stream)) :]
    return bytes(stream)


rnd = random.Random(int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    stream = damaged(rnd)
    words, size = "", 0
    try:
        size = len(zlib.decompress(stream))
    except zlib.error as e:
        words = str(e)
    print(json.dumps({"stream": stream.decode("latin-1"), "words": words, "size": size}))
