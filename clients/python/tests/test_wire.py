# SPDX-License-Identifier: GPL-2.0-or-later
import dataclasses
import inspect
import json
import os
import typing
import unittest
from pathlib import Path

from hgbroker import requests, results, wire
from hgbroker.wire import ConnectionLost, Frames, frame

from .scene import TREE


class Texts(unittest.TestCase):
    def test_there_and_back(self):
        for raw in [b"", b"a", "é".encode(), b"caf\xe9", b"\x00\n\"\\", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", bytes(range(256))]:
            sent = json.loads(json.dumps(wire.to_wire(raw)))
            self.assertEqual(wire.bytes_from_wire(sent), raw)
            name = wire.str_from_wire(sent)
            self.assertEqual(wire.to_bytes(name), raw)
            self.assertEqual(wire.to_wire(name), wire.to_wire(raw))

    def test_forms(self):
        self.assertEqual(wire.to_wire(b"caf\xc3\xa9"), "café")
        self.assertEqual(wire.to_wire(b"caf\xe9"), {"base64": "Y2Fm6Q=="})
        self.assertEqual(wire.to_wire("caf\udce9"), {"base64": "Y2Fm6Q=="})
        self.assertEqual(wire.to_wire(Path("a") / "b"), "a/b")
        with self.assertRaises(ValueError):
            wire.to_wire("\ud800")  # stands for no bytes
        with self.assertRaises(TypeError):
            wire.to_wire(5)


class FramesTest(unittest.TestCase):
    def test_any_cut(self):
        messages = [{"id": 1, "result": "é" * 10}, {"method": "x", "params": {}}, {}]
        data = b"".join(map(frame, messages)).replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n", 1)
        for size in range(1, len(data) + 1):
            frames, got = Frames(), []
            for at in range(0, len(data), size):
                frames.feed(data[at : at + size])
                while True:
                    message = frames.next()
                    if message is None:
                        break
                    got.append(message)
            self.assertEqual(got, messages)

    def test_nonsense(self):
        for data in [b"x" * 9000, b"X: y\r\n\r\n", b"Content-Length: -1\r\n\r\n", b"Content-Length: 1\r\n\r\nx", b"Content-Length: 2\r\n\r\n[]"]:
            frames = Frames()
            frames.feed(data)
            with self.assertRaises(ConnectionLost):
                frames.next()


class Schema(unittest.TestCase):
    """requests.py and results.py against protocol/schema.json."""

    def setUp(self):
        with open(os.path.join(TREE, "protocol", "schema.json")) as f:
            self.methods = {m["method"]: m for m in json.load(f)["methods"]}

    # Those that the clients deal with themselves.
    OWN = {"initialize", "shutdown"}
    # Parameters that the functions spell otherwise, and those that they leave out.
    SPELT = {"hg/annotate": {"range": "lines"}, "hg/log": {"fields": "files"}, "hg/run": {"timeoutMs": "timeout", "stream": "args"}}
    LEFT_OUT = {"cwd", "repository", "workDoneToken", "partialResultToken"}

    def test_methods(self):
        functions = {}
        for name, f in inspect.getmembers(requests, inspect.isfunction):
            if f.__module__ == requests.__name__ and not name.startswith("_"):
                needed = [n for n, p in inspect.signature(f).parameters.items() if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
                functions[f(*["x"] * len(needed)).method] = f
        asked = {n for n, m in self.methods.items() if m["kind"] == "request" and m["from"] == "client"}
        self.assertGreater(len(asked), 20)
        self.assertEqual(set(functions), asked - self.OWN)
        for method, f in functions.items():
            has = {results.member(p) for p in inspect.signature(f).parameters}
            for name in self.methods[method].get("params", {}).get("properties", {}):
                name = self.SPELT.get(method, {}).get(name, name)
                if name not in self.LEFT_OUT:
                    self.assertIn(name, has, method)

    def test_results(self):
        compared = 0
        for method, cls in [("hg/prompt", results.Prompt), ("hg/edit", results.Edit), ("hg/output", results.Output), ("repository/didChange", results.DidChange), ("window/logMessage", results.LogMessage)]:
            ignoring = {"id"} if method.startswith("hg/") else set()
            self.compare(method, cls, self.methods[method]["params"], ignoring)
        self.compare("initialize", results.Capabilities, self.methods["initialize"]["result"]["properties"]["capabilities"])
        for method, m in self.methods.items():
            if m["kind"] != "request" or m["from"] != "client" or method in self.OWN or "properties" not in m.get("result", {}) or method.endswith("Batch"):
                continue
            name = method.partition("/")[2]
            self.compare(method, getattr(results, name[0].upper() + name[1:] + "Result"), m["result"])
            compared += 1
        self.assertGreater(compared, 15)

    def compare(self, where, cls, schema, ignoring=frozenset()):
        hints = typing.get_type_hints(cls)
        has = {results.member(f.name): hints[f.name] for f in dataclasses.fields(cls)}
        self.assertEqual(set(has), set(schema["properties"]) - ignoring, where)
        for name, hint in has.items():
            self.compare_type(where + "." + name, hint, schema["properties"][name])

    def compare_type(self, where, hint, schema):
        if typing.get_origin(hint) is typing.Union:
            hint = typing.get_args(hint)[0]
        kind = schema.get("type", "text")
        kinds = set(kind if isinstance(kind, list) else [kind]) - {"null"}
        expected = {int: "integer", bool: "boolean"}.get(hint)
        if hint in (str, bytes):
            self.assertTrue(kinds <= {"string", "text"}, where)
        elif expected:
            self.assertEqual(kinds, {expected}, where)
        elif typing.get_origin(hint) is list:
            self.assertEqual(kinds, {"array"}, where)
            self.compare_type(where + "[]", typing.get_args(hint)[0], schema["items"])
        elif typing.get_origin(hint) is tuple:
            self.assertEqual(kinds, {"array"}, where)
        elif typing.get_origin(hint) is dict:
            self.assertEqual(kinds, {"object"}, where)
        else:
            self.compare(where, hint, schema)


if __name__ == "__main__":
    unittest.main()
