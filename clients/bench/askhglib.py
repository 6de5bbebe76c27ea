# SPDX-License-Identifier: GPL-2.0-or-later
"""A python-hglib client: argument lists in JSON on stdin, a line each; the server's process ID,
then answers and their times on stdout."""
import base64
import json
import sys
import time

import hglib

hglib.HGPATH = sys.argv[1]
client = hglib.open(sys.argv[2])
print(client.server.pid, flush=True)
for line in sys.stdin:
    args = [a.encode() for a in json.loads(line)]
    code = []

    def failed(ret, out, err):
        code.append(ret)
        return out

    start = time.perf_counter_ns()
    out = client.rawcommand(args, eh=failed)
    took = time.perf_counter_ns() - start
    print(json.dumps({"Ns": took, "Code": code[0] if code else 0, "Stdout": base64.b64encode(out).decode()}), flush=True)
client.close()
