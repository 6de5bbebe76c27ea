# SPDX-License-Identifier: GPL-2.0-or-later
"""What hg says of damaged zstd frames: zstd.py SEED COUNT."""

import json
import random
import sys

from mercurial import util
from mercurial.utils import stringutil

rnd = random.Random(int(sys.argv[1]))
engine = util.compengines[b"zstd"].revlogcompressor({})
words = [bytes(rnd.choice(b"abcdefghijklmnop") for _ in range(rnd.randrange(2, 9))) for _ in range(200)]

for _ in range(int(sys.argv[2])):
    text = b" ".join(rnd.choice(words) for _ in range(rnd.randrange(20, rnd.choice([60, 400, 3000]))))
    if rnd.randrange(8) == 0:
        text = bytes(rnd.randrange(256) for _ in range(300)) + text
    frame = bytearray(engine.compress(text) or b"u")
    first = 4 if rnd.randrange(4) == 0 else 8
    for _ in range(rnd.choice([1, 1, 1, 2, 4])):
        if len(frame) > first:
            at = rnd.randrange(first, len(frame))
            frame[at] ^= 1 << rnd.randrange(8) if rnd.randrange(2) else rnd.randrange(1, 256)
    if frame[0:1] == b"u":
        continue
    said, out = "", b""
    try:
        out = engine.decompress(bytes(frame))
    except Exception as e:
        said = stringutil.forcebytestr(e).decode("latin-1")
    print(json.dumps({"frame": bytes(frame).decode("latin-1"), "words": said, "text": out.decode("latin-1")}))
