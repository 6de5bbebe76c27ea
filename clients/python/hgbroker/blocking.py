# SPDX-License-Identifier: GPL-2.0-or-later
"""The blocking client: it reads in whatever thread asks, and has none of its own."""

from __future__ import annotations

import functools
import inspect
import os
import select
import subprocess
import threading
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, Iterator, Mapping, Optional, Sequence, Tuple, Type, TypeVar

from . import requests
from .requests import Request
from .results import NOTIFICATIONS, QUESTIONS, Capabilities, Edit, Output, Prompt, RunResult, decoder
from .wire import (
    ConnectionLost,
    Frames,
    RequestError,
    Text,
    broker_command,
    initialize_params,
    notification,
    refusal,
    reply,
    request,
)

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

R = TypeVar("R")
C = TypeVar("C", bound="Client")

_READ = 1 << 18  # bytes at once, at most
_PATIENCE = 10.0  # seconds that a broker is given to end


def _method(build: Callable[P, Request[R]]) -> Callable[Concatenate[Client, P], R]:
    """The method that sends what `build` makes."""

    def ask(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.call(build(*args, **kwargs))

    functools.update_wrapper(ask, build)
    own = inspect.signature(build)
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    ask.__signature__ = own.replace(parameters=[me, *own.parameters.values()])  # type: ignore[attr-defined]
    return ask


class Client:
    """A broker of our own, asked one question after the other.

    Any number of threads may share a client: each waits for its turn. For
    requests side by side, and for cancelling, there is `AsyncClient`.

    repository: what requests are about that do not say it, a path.
    command: what starts the broker, for example ["ssh", host, "hgbroker", "--stdio"];
        by default the executable that HGBROKER_EXE names, or the one on PATH.
    fallback: "auto", "never" (only native commands) or "always".
    encoding, config: as HGENCODING and --config, for all requests.
    env, cwd: the broker's own, as subprocess.Popen takes them.
    on_notification: called with a method and what it tells (DidChange, LogMessage,
        or JSON), in the thread that happened to read it, after its answer came.
        It may ask the client.
    prompt, edit: answer what hg asks a person (see Prompt and Edit), while the command
        waits; they cannot ask the client. Without them hg goes on as without a terminal.
    """

    def __init__(
        self,
        repository: Optional[Text] = None,
        *,
        command: Optional[Sequence[str]] = None,
        fallback: Optional[str] = None,
        encoding: Optional[str] = None,
        config: Sequence[Text] = (),
        env: Optional[Mapping[str, str]] = None,
        cwd: Optional[Text] = None,
        on_notification: Optional[Callable[[str, Any], None]] = None,
        prompt: Optional[Callable[[Prompt], Optional[Text]]] = None,
        edit: Optional[Callable[[Edit], Optional[Text]]] = None,
    ) -> None:
        self._lock = threading.Lock()  # guards all that follows
        self._frames = Frames()
        self._next = 0
        self._waiting: Dict[int, _Slot] = {}
        self._told: Deque[Tuple[str, Any]] = deque()
        self._on_notification = on_notification
        self._answers: Dict[str, Callable[[Any], Optional[Text]]] = {}
        if prompt is not None:
            self._answers["hg/prompt"] = prompt
        if edit is not None:
            self._answers["hg/edit"] = edit
        self._lost: Optional[ConnectionLost] = None
        started = broker_command(command)
        try:
            # A session of its own: Ctrl-C is for the caller, who can go on asking.
            self._process = subprocess.Popen(
                started, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=env, cwd=cwd, start_new_session=True
            )
        except OSError as e:
            raise ConnectionLost("%s could not be started: %s" % (started[0], e)) from e
        assert self._process.stdin and self._process.stdout
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        try:
            params = initialize_params(repository, command, fallback, encoding, config, prompt is not None, edit is not None)
            answer = self.call(Request("initialize", params, lambda v: v))
            self.capabilities: Capabilities = decoder(Capabilities)(answer["capabilities"])
            with self._lock:
                self._write(notification("initialized", {}))
        except BaseException:
            self.close()
            raise

    def call(self, request: Request[R]) -> R:
        """Sends a request, waits, returns its result or raises RequestError."""
        with self._lock:
            id = self._send(request.method, request.params)
            slot = self._waiting[id]
            try:
                while slot.answer is None:
                    self._read()
            except BaseException:
                self._abandon(id)
                raise
            del self._waiting[id]
        if self._told:
            self._tell()
        return request.decode(slot.result())

    run = _method(requests.run)
    run_batch = _method(requests.run_batch)
    state = _method(requests.state)
    status = _method(requests.status)
    log = _method(requests.log)
    cat = _method(requests.cat)
    cat_batch = _method(requests.cat_batch)
    line_diff = _method(requests.line_diff)
    annotate = _method(requests.annotate)
    diff = _method(requests.diff)
    refs = _method(requests.refs)
    resolve_revset = _method(requests.resolve_revset)
    render = _method(requests.render)
    files = _method(requests.files)
    conflicts = _method(requests.conflicts)
    config = _method(requests.config)
    paths = _method(requests.paths)
    copy_source = _method(requests.copy_source)
    open_repository = _method(requests.open_repository)
    close_repository = _method(requests.close_repository)
    stats = _method(requests.stats)
    flush = _method(requests.flush)

    def stream(self, *args: Text, **options: Any) -> Stream:
        """Like `run`, but its output comes piece by piece:

        with hg.stream("log", "-p") as pieces:
            for piece in pieces:
                print(piece.channel, piece.data)
        print(pieces.result.exit_code)

        Leaving the block early cancels the command. Between pieces the client may
        be asked other things; what the command prints meanwhile is kept in memory.
        """
        params = dict(requests.run(*args, **options).params or {}, stream=True)
        with self._lock:
            id = self._send("hg/run", params)
        return Stream(self, id)

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits for notifications, at most `timeout` seconds, and has them told.
        Returns whether any came. Other threads cannot ask meanwhile."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            while not self._told:
                self._check()
                if not self._readable(end):
                    break
                self._read()
            came = bool(self._told)
        self._tell()
        return came

    def close(self) -> None:
        """Ends the broker and what it runs for us. May be called more than once."""
        with self._lock:
            process = self._process
            if process.stdin is None or process.stdin.closed:
                return
            try:
                if self._lost is None:
                    for id in list(self._waiting):
                        self._abandon(id)
                    self._next += 1
                    self._write(request(self._next, "shutdown") + notification("exit"))
            except ConnectionLost:
                pass
            finally:
                self._lost = self._lost or ConnectionLost("the client was closed")
                process.stdin.close()
            end = time.monotonic() + _PATIENCE
            while self._readable(end) and os.read(self._out, _READ):
                pass  # what we do not wait for any more
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout
            process.stdout.close()

    def __enter__(self: C) -> C:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    # What follows is called with the lock held.

    def _check(self) -> None:
        if self._lost is not None:
            raise ConnectionLost(*self._lost.args)

    def _send(self, method: str, params: Any) -> int:
        self._check()
        self._next += 1
        id = self._next
        data = request(id, method, params)  # raises before anything is sent
        self._waiting[id] = _Slot()
        try:
            self._write(data)
        except BaseException:
            del self._waiting[id]
            raise
        return id

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._in, rest) :]
        except OSError as e:
            raise self._lose("the broker ended: %s" % e) from e
        except BaseException:
            if len(rest) < len(data):
                self._lose("a request was interrupted while it was sent")
            raise

    def _lose(self, why: str) -> ConnectionLost:
        self._lost = ConnectionLost(why)
        return self._lost

    def _readable(self, end: Optional[float]) -> bool:
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        return bool(poll.poll(None if end is None else max(0.0, end - time.monotonic()) * 1000))

    def _read(self) -> None:
        """Waits for some bytes and handles the messages that they complete."""
        self._check()
        data = os.read(self._out, _READ)
        if not data:
            raise self._lose("the broker ended")
        self._frames.feed(data)
        try:
            while True:
                message = self._frames.next()
                if message is None:
                    return
                self._handle(message)
        except ConnectionLost as e:
            self._lost = e
            raise

    def _handle(self, message: Dict[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            slot = self._waiting.get(message.get("id"))  # type: ignore[arg-type]
            if slot is not None:
                slot.answer = message
        elif "id" in message:
            self._answer(message["id"], method, message.get("params"))
        elif method == "hg/output":
            slot = self._waiting.get(message["params"]["id"])
            if slot is not None:
                slot.pieces.append(_piece(message["params"]))
        elif self._on_notification is not None:
            known = NOTIFICATIONS.get(method)
            params = message.get("params")
            self._told.append((method, known(params) if known else params))

    def _answer(self, id: Any, method: str, params: Any) -> None:
        answer = self._answers.get(method)
        if answer is None:
            self._write(refusal(id, "Method not found: " + method))
            return
        try:
            data = reply(id, answer(QUESTIONS[method](params)))
        except BaseException as e:
            self._write(refusal(id, "no answer: %r" % e, -32803))
            raise
        self._write(data)

    def _abandon(self, id: int) -> None:
        """Nobody waits any more: the broker shall stop, its answer is dropped."""
        if self._waiting.pop(id, None) is not None and self._lost is None:
            self._write(notification("$/cancelRequest", {"id": id}))

    def _tell(self) -> None:  # without the lock
        while True:
            try:
                told = self._told.popleft()
            except IndexError:
                return
            if self._on_notification is not None:
                self._on_notification(*told)


_piece = decoder(Output)


class _Slot:
    """A request that is under way."""

    def __init__(self) -> None:
        self.answer: Optional[Dict[str, Any]] = None
        self.pieces: Deque[Output] = deque()

    def result(self) -> Any:
        assert self.answer is not None
        if "error" in self.answer:
            raise RequestError(self.answer["error"])
        return self.answer.get("result")


class Stream:
    """The output of a command that runs, piece by piece; see `Client.stream`."""

    def __init__(self, client: Client, id: int) -> None:
        self._client, self._id = client, id
        self._slot = client._waiting[id]
        self._result: Optional[RunResult] = None

    @property
    def result(self) -> RunResult:
        """How the command ended, without its output; known after the last piece."""
        if self._result is None:
            raise ValueError("the command has not ended")
        return self._result

    def __iter__(self) -> Iterator[Output]:
        return self

    def __next__(self) -> Output:
        client, slot = self._client, self._slot
        with client._lock:
            while not slot.pieces and slot.answer is None:
                if self._id not in client._waiting:  # closed
                    raise StopIteration
                client._read()
            piece = slot.pieces.popleft() if slot.pieces else None
            if piece is None:
                client._waiting.pop(self._id, None)
        if client._told:
            client._tell()
        if piece is not None:
            return piece
        if self._result is None:
            self._result = decoder(RunResult)(slot.result())
        raise StopIteration

    def close(self) -> None:
        """Cancels the command unless it has ended."""
        with self._client._lock:
            if self._slot.answer is not None:
                self._client._waiting.pop(self._id, None)
            else:
                self._client._abandon(self._id)
            self._slot.pieces.clear()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()
