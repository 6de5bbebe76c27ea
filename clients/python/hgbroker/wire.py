# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes over the wire: frames, JSON-RPC messages, text, errors.

A frame is LSP's: header lines that end with CR LF, of which `Content-Length: N`
is the only one that matters, an empty line, N bytes of JSON. Nothing here reads
or writes; the two clients do.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

#: What may be given where Mercurial wants bytes.
Text = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

#: A header longer than this is not one of ours.
MAX_HEADER = 8192


class Error(Exception):
    """The base of this package's errors."""


class ConnectionLost(Error, ConnectionError):
    """The broker ended, could not be started, or sent what is no message."""


class RequestError(Error):
    """A request that the broker could not do.

    `kind` is for programs: "NotARepository", "UnknownRevision", "Unsupported",
    "Timeout", "WorkerLost", ...; "" for an error of the protocol itself, which
    `code` tells (JSON-RPC's and LSP's).
    """

    def __init__(self, error: Mapping[str, Any]):
        data = error.get("data")
        if not isinstance(data, dict):
            data = {}
        self.code: int = error.get("code", 0)
        self.message: str = error.get("message", "")
        self.kind: str = data.get("kind", "")
        self.exit_code: int = data.get("exitCode", 0)
        self.stderr: bytes = bytes_from_wire(data.get("stderr", ""))
        self.hint: str = str_from_wire(data.get("hint", ""))
        self.files: List[str] = [str_from_wire(f) for f in data.get("files") or ()]
        super().__init__(self.message)

    def __str__(self) -> str:
        return "%s (%s)" % (self.message, self.kind or self.code)


class CommandError(Error):
    """A command that ran and failed; raised by `RunResult.check` only."""

    def __init__(self, exit_code: int, stdout: bytes, stderr: bytes):
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        super().__init__("exit code %d: %s" % (exit_code, to_str(stderr).strip()))


def to_bytes(value: Text) -> bytes:
    """The bytes that a name stands for: UTF-8, with surrogate escapes for all others."""
    value = os.fspath(value)
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def to_str(value: bytes) -> str:
    """A name for bytes, which `to_bytes` turns back into the same."""
    return value.decode("utf-8", "surrogateescape")


def to_wire(value: Text) -> Union[str, Dict[str, str]]:
    """A JSON string for what is UTF-8, {"base64": ...} for what is not."""
    if isinstance(value, str) and value.isascii():
        return value
    raw = to_bytes(value)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode("ascii")}


def bytes_from_wire(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    return base64.b64decode(value["base64"], validate=True)


def str_from_wire(value: Any) -> str:
    return value if isinstance(value, str) else to_str(bytes_from_wire(value))


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def frame(message: Mapping[str, Any]) -> bytes:
    body = _encode(message).encode("utf-8")
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Frames:
    """Takes a stream of bytes apart, however it was cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size = -1  # of the body that is awaited; -1: a header is

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> Optional[Dict[str, Any]]:
        """The next message, None when more bytes are needed."""
        buffer = self._buffer
        if self._size < 0:
            end = buffer.find(b"\r\n\r\n", 0, MAX_HEADER)
            if end < 0:
                if len(buffer) >= MAX_HEADER:
                    raise ConnectionLost("the broker sent what is no frame: %r" % bytes(buffer[:40]))
                return None
            self._size = _content_length(bytes(buffer[:end]))
            del buffer[: end + 4]
        if len(buffer) < self._size:
            return None
        body = bytes(buffer[: self._size])
        del buffer[: self._size]
        self._size = -1
        try:
            message = json.loads(body)
        except ValueError as e:
            raise ConnectionLost("the broker sent what is no JSON: %s" % e) from e
        if not isinstance(message, dict):
            raise ConnectionLost("the broker sent what is no message: %.40r" % body)
        return message


def _content_length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        value = value.strip()
        if name.strip().lower() == b"content-length" and value.isdigit():
            return int(value)
    raise ConnectionLost("the broker sent a frame without Content-Length: %.40r" % header)


def request(id: int, method: str, params: Any = None) -> bytes:
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    if params is not None:
        message["params"] = params
    return frame(message)


def notification(method: str, params: Any = None) -> bytes:
    message = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        message["params"] = params
    return frame(message)


def reply(id: Any, value: Optional[Text]) -> bytes:
    """The answer to a question of the broker's."""
    return frame({"jsonrpc": "2.0", "id": id, "result": None if value is None else to_wire(value)})


def refusal(id: Any, message: str, code: int = -32601) -> bytes:
    return frame({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})


def broker_command(command: Optional[Sequence[str]]) -> List[str]:
    """The command that starts a broker: what was asked for, else the executable
    that HGBROKER_EXE names, else the one on PATH."""
    if command is not None:
        return list(command)
    return [os.environ.get("HGBROKER_EXE") or "hgbroker", "--stdio"]


def initialize_params(
    repository: Optional[Text],
    command: Optional[Sequence[str]],
    fallback: Optional[str],
    encoding: Optional[str],
    config: Sequence[Text],
    prompt: bool,
    edit: bool,
) -> Dict[str, Any]:
    # A command of the caller's may start the broker on another machine, where
    # our process number means nothing or somebody else.
    params: Dict[str, Any] = {
        "processId": os.getpid() if command is None else None,
        "clientInfo": {"name": "hgbroker-python"},
        "capabilities": {"experimental": {"hgbroker": {"prompt": prompt, "edit": edit}}},
    }
    if repository is not None:
        params["rootPath"] = to_wire(repository)
    options: Dict[str, Any] = {}
    if fallback:
        options["fallback"] = fallback
    if encoding:
        options["encoding"] = encoding
    if config:
        options["config"] = [to_wire(c) for c in config]
    if options:
        params["initializationOptions"] = options
    return params
