# SPDX-License-Identifier: GPL-2.0-or-later
"""Times `hg log -r . -T {node}` through this package beside python-hglib, turn by
turn in one run: measure.py REPOSITORY [ROUNDS]. hgbroker comes from PATH, and so
does hg for python-hglib, unless HGBROKER_HG names another than the drop-in."""

import os
import sys
import time

import hglib  # type: ignore[import-untyped]

import hgbroker

ARGS = ["log", "-r", ".", "-T", "{node}"]


def main() -> None:
    repository, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    hglib.HGPATH = os.environ.get("HGBROKER_HG") or "hg"
    os.environ["HGPLAIN"] = "1"  # python-hglib sets it for its own server
    with hgbroker.Client(repository) as ours, hglib.open(repository) as theirs:
        contenders = {
            "hgbroker": lambda: ours.run(*ARGS).check().stdout,
            "python-hglib": lambda: theirs.rawcommand([a.encode() for a in ARGS]),
        }
        times = {name: [] for name in contenders}  # type: dict[str, list[int]]
        assert len({ask() for ask in contenders.values()}) == 1, "they print different things"
        for _ in range(rounds):
            for name, ask in contenders.items():
                start = time.perf_counter_ns()
                ask()
                times[name].append(time.perf_counter_ns() - start)
        for name, ns in times.items():
            ns.sort()
            print("%-12s  p50 %7.1f us   p99 %7.1f us" % (name, ns[len(ns) // 2] / 1e3, ns[len(ns) * 99 // 100] / 1e3))


if __name__ == "__main__":
    main()
