#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes recorded repositories; testdata/record runs it.

    make.py --list                           the recipes, as JSON
    make.py --hg PATH --out DIR NAME...      makes DIR/NAME/... for each NAME
"""
import argparse
import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import RECIPES, Bench  # noqa: E402
import histories  # noqa: E402,F401  in the order in which they are listed
import workdirs  # noqa: E402,F401
import formats  # noqa: E402,F401
import broken  # noqa: E402,F401


def listing():
    out = []
    for name, r in RECIPES.items():
        function = r["make"]
        out.append({"name": name, "about": " ".join(function.__doc__.split()), "recipe": "%s.py" % function.__module__,
                    "dir": r["dir"], "brief": r["brief"], "broken": r["broken"]})
    return out


def main():
    parser = argparse.ArgumentParser(description="Makes recorded repositories.")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--hg")
    parser.add_argument("--out")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.list:
        json.dump(listing(), sys.stdout, indent=1)
        return
    os.umask(0o022)
    for name in args.names:
        if name not in RECIPES:
            parser.error("no recipe %r" % name)
        top = os.path.join(args.out, name)
        os.makedirs(top)
        with tempfile.TemporaryDirectory() as scratch:
            RECIPES[name]["make"](Bench(args.hg, top, scratch))


if __name__ == "__main__":
    main()
