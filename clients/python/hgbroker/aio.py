# SPDX-License-Identifier: GPL-2.0-or-later
"""The asyncio client: many requests at once over one broker."""

from __future__ import annotations

import asyncio
import functools
import inspect
from asyncio.subprocess import PIPE, Process
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Coroutine, Deque, Dict, List, Mapping, Optional, Sequence, Type, TypeVar, Union

from . import requests
from .requests import Request
from .results import NOTIFICATIONS, QUESTIONS, Capabilities, DidChange, Edit, OpenResult, Output, Prompt, RunResult, decoder
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
#: What may answer a question of hg's.
Answer = Union[Text, None, Awaitable[Optional[Text]]]
A = TypeVar("A", bound="AsyncClient")

_READ = 1 << 18  # bytes at once, at most
_PATIENCE = 10.0  # seconds that a broker is given to end
_MOST = 1 << 20  # bytes that a stream keeps before the broker has to wait


def _method(build: Callable[P, Request[R]]) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]]:
    """The method that sends what `build` makes."""

    async def ask(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self.call(build(*args, **kwargs))

    functools.update_wrapper(ask, build)
    own = inspect.signature(build)
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    ask.__signature__ = own.replace(parameters=[me, *own.parameters.values()])  # type: ignore[attr-defined]
    return ask


class AsyncClient:
    """A broker of our own, asked from one event loop.

        async with AsyncClient("/path/of/a/repository") as hg:
            state, status = await asyncio.gather(hg.state(), hg.status())

    The arguments are those of `Client`; `on_notification`, `prompt` and `edit` are
    called in the loop and must not block; the latter two may be coroutines. A request whose task is cancelled (also by
    `asyncio.wait_for`) is cancelled at the broker.
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
        prompt: Optional[Callable[[Prompt], Answer]] = None,
        edit: Optional[Callable[[Edit], Answer]] = None,
    ) -> None:
        self.capabilities = Capabilities()
        self._command = broker_command(command)
        self._initialize = initialize_params(repository, command, fallback, encoding, config, prompt is not None, edit is not None)
        self._env, self._cwd = env, cwd
        self._on_notification = on_notification
        self._answers: Dict[str, Callable[[Any], Answer]] = {}
        if prompt is not None:
            self._answers["hg/prompt"] = prompt
        if edit is not None:
            self._answers["hg/edit"] = edit
        self._answering: Dict[Any, asyncio.Task[None]] = {}  # by the broker's id
        self._process: Optional[Process] = None
        self._reader: Optional[asyncio.Task[None]] = None  # ends with the broker's output
        self._next = 0
        self._waiting: Dict[int, asyncio.Future[Any]] = {}
        self._streams: Dict[int, AsyncStream] = {}
        self._changes: Dict[str, List[Changes]] = {}  # by root
        self._lost: Optional[ConnectionLost] = None
        self._room: Optional[asyncio.Event] = None  # the reader may go on

    async def start(self) -> None:
        """Starts the broker; `async with` does it."""
        self._room = asyncio.Event()
        try:
            # A session of its own: Ctrl-C is for the caller.
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, env=self._env, cwd=self._cwd, start_new_session=True
            )
        except OSError as e:
            raise ConnectionLost("%s could not be started: %s" % (self._command[0], e)) from e
        self._reader = asyncio.ensure_future(self._read())
        try:
            answer = await self.call(Request("initialize", self._initialize, lambda v: v))
            self.capabilities = decoder(Capabilities)(answer["capabilities"])
            self._write(notification("initialized", {}))
        except BaseException:
            await self.close()
            raise

    async def call(self, request: Request[R]) -> R:
        """Sends a request, waits, returns its result or raises RequestError."""
        id, future = self._send(request.method, request.params)
        try:
            await self._drain()
            return request.decode(await future)
        finally:
            self._forget(id)

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

    def stream(self, *args: Text, **options: Any) -> AsyncStream:
        """Like `run`, but its output comes piece by piece:

            async with hg.stream("log", "-p") as pieces:
                async for piece in pieces:
                    print(piece.channel, piece.data)
            print(pieces.result.exit_code)

        Leaving the block early cancels the command. If nothing else is asked
        meanwhile, a slow reader slows the command down.
        """
        return AsyncStream(self, dict(requests.run(*args, **options).params or {}, stream=True))

    def follow(self, repository: Optional[Text] = None) -> Changes:
        """The changes of a repository, by whomever, until the block is left:

        async with hg.follow() as changes:
            async for change in changes:
                print(change.kinds)
        """
        return Changes(self, repository)

    async def close(self) -> None:
        """Ends the broker and what it runs for us. May be called more than once."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        try:
            if self._lost is None:
                for id in [*self._waiting, *self._streams]:
                    process.stdin.write(notification("$/cancelRequest", {"id": id}))
                self._next += 1
                process.stdin.write(request(self._next, "shutdown") + notification("exit"))
            self._end(ConnectionLost("the client was closed"))
            process.stdin.close()
            await asyncio.wait_for(process.wait(), _PATIENCE)
        except (asyncio.TimeoutError, OSError):
            pass
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            if self._reader is not None:
                _, reading = await asyncio.wait([self._reader], timeout=_PATIENCE)
                for task in reading:  # somebody else holds the pipe
                    task.cancel()

    async def __aenter__(self: A) -> A:
        await self.start()
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.close()

    def _send(self, method: str, params: Any) -> "tuple[int, asyncio.Future[Any]]":
        if self._lost is not None:
            raise ConnectionLost(*self._lost.args)
        if self._process is None:
            raise ConnectionLost("the client was not started")
        self._next += 1
        id = self._next
        self._write(request(id, method, params))
        future = asyncio.get_running_loop().create_future()
        self._waiting[id] = future
        self._wake()
        return id, future

    def _write(self, data: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(data)

    async def _drain(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            try:
                await self._process.stdin.drain()
            except ConnectionError:
                pass  # the reader finds out as well, and says so to all

    def _forget(self, id: int) -> None:
        """The request is done, or nobody waits for it: then the broker shall stop."""
        future = self._waiting.pop(id, None)
        self._streams.pop(id, None)
        if future is None:
            return
        if not future.done() or future.cancelled():
            future.cancel()
            if self._lost is None:
                self._write(notification("$/cancelRequest", {"id": id}))
        elif not future.cancelled():
            future.exception()  # retrieved: asyncio need not complain
        self._wake()

    def _wake(self) -> None:
        if self._room is not None:
            self._room.set()

    async def _read(self) -> None:
        """Handles whatever the broker sends. Pauses while all that anybody waits
        for are streams that have enough to give."""
        assert self._process and self._process.stdout and self._room
        out, room, frames = self._process.stdout, self._room, Frames()
        lost = ConnectionLost("the broker ended")
        try:
            while True:
                while self._lost is None and self._waiting and all(id in self._streams and self._streams[id].full for id in self._waiting):
                    room.clear()
                    await room.wait()
                data = await out.read(_READ)
                if not data:
                    break
                frames.feed(data)
                while True:
                    message = frames.next()
                    if message is None:
                        break
                    self._handle(message)
        except ConnectionLost as e:
            lost = e
        except OSError as e:
            lost = ConnectionLost("the broker cannot be read from: %s" % e)
        finally:
            self._end(lost)

    def _handle(self, message: Dict[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            future = self._waiting.get(message.get("id"))  # type: ignore[arg-type]
            if future is None or future.done():
                return
            if "error" in message:
                future.set_exception(RequestError(message["error"]))
            else:
                future.set_result(message.get("result"))
            return
        params: Any = message.get("params")
        if "id" in message:
            id = message["id"]
            task = self._answering[id] = asyncio.ensure_future(self._answer(id, method, params))
            task.add_done_callback(lambda _: self._answering.pop(id, None))
        elif method == "$/cancelRequest":
            asked = self._answering.get(params["id"])
            if asked is not None:
                asked.cancel()
        elif method == "hg/output":
            stream = self._streams.get(params["id"])
            if stream is not None:
                stream._add(_piece(params))
        else:
            known = NOTIFICATIONS.get(method)
            told = known(params) if known else params
            if isinstance(told, DidChange):
                for changes in self._changes.get(told.root, ()):
                    changes._add(told)
            if self._on_notification is not None:
                self._on_notification(method, told)

    async def _answer(self, id: Any, method: str, params: Any) -> None:
        answer = self._answers.get(method)
        if answer is None:
            self._write(refusal(id, "Method not found: " + method))
            return
        try:
            value = answer(QUESTIONS[method](params))
            if inspect.isawaitable(value):
                value = await value
            data = reply(id, value)
        except BaseException as e:
            self._write(refusal(id, "no answer: %r" % e, -32803))
            raise
        self._write(data)

    def _end(self, lost: ConnectionLost) -> None:
        """Nothing more will be sent or answered."""
        if self._lost is None:
            self._lost = lost
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionLost(*self._lost.args))
        for task in self._answering.values():
            task.cancel()
        for followers in self._changes.values():
            for changes in followers:
                changes._wake()
        self._wake()


_piece = decoder(Output)


class AsyncStream:
    """The output of a command that runs, piece by piece; see `AsyncClient.stream`."""

    def __init__(self, client: AsyncClient, params: Dict[str, Any]) -> None:
        self._client, self._params = client, params
        self._id = 0
        self._future: Optional[asyncio.Future[Any]] = None  # the answer
        self._pieces: Deque[Output] = deque()
        self._size = 0  # of the pieces
        self._came = asyncio.Event()
        self._result: Optional[RunResult] = None

    @property
    def full(self) -> bool:
        return self._size > _MOST

    @property
    def result(self) -> RunResult:
        """How the command ended, without its output; known after the last piece."""
        if self._result is None:
            raise ValueError("the command has not ended")
        return self._result

    async def __aenter__(self) -> AsyncStream:
        self._id, self._future = self._client._send("hg/run", self._params)
        self._client._streams[self._id] = self
        self._future.add_done_callback(lambda _: self._came.set())
        await self._client._drain()
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self._pieces.clear()
        self._size = 0
        self._client._forget(self._id)

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> Output:
        if self._future is None:
            raise ValueError("a stream is used in `async with`")
        while not self._pieces and not self._future.done():
            self._came.clear()
            await self._came.wait()
        if self._pieces:
            piece = self._pieces.popleft()
            self._size -= len(piece.data)
            self._client._wake()
            return piece
        if self._future.cancelled():
            raise StopAsyncIteration
        if self._result is None:
            self._result = decoder(RunResult)(self._future.result())
        raise StopAsyncIteration

    def _add(self, piece: Output) -> None:
        self._pieces.append(piece)
        self._size += len(piece.data)
        self._came.set()


class Changes:
    """The changes of one repository; see `AsyncClient.follow`."""

    def __init__(self, client: AsyncClient, repository: Optional[Text]) -> None:
        self._client, self._repository = client, repository
        self._told: Deque[DidChange] = deque()
        self._came = asyncio.Event()
        self.opened = OpenResult()  #: what is known of the repository

    async def __aenter__(self) -> Changes:
        self.opened = await self._client.open_repository(self._repository)
        self._client._changes.setdefault(self.opened.root, []).append(self)
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        followers = self._client._changes[self.opened.root]
        followers.remove(self)
        if not followers:
            del self._client._changes[self.opened.root]
        if self._client._lost is None:
            await self._client.close_repository(self._repository)

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> DidChange:
        while not self._told:
            if self._client._lost is not None:
                raise ConnectionLost(*self._client._lost.args)
            self._came.clear()
            await self._came.wait()
        return self._told.popleft()

    def _add(self, change: DidChange) -> None:
        self._told.append(change)
        self._wake()

    def _wake(self) -> None:
        self._came.set()
