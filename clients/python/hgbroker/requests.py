# SPDX-License-Identifier: GPL-2.0-or-later
"""The methods, once for both clients: each function makes a `Request`.

`Client` and `AsyncClient` have a method for each, of the same arguments, which
sends it and returns its result. `repository` is a path or a file: URI of or in
the repository that is meant; without it, the one that the client was made with.
Arguments that are left out are not sent: the broker has their defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Generic, Iterable, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar, Union

from . import results as r
from .results import decoder, member
from .wire import RequestError, Text, to_wire

R = TypeVar("R")

#: One file of `cat_batch`: a path or URI, or that and a revision.
CatItem = Union[Text, Tuple[Text, Text]]


@dataclass
class Request(Generic[R]):
    """A request that can be sent; `decode` makes its result of the JSON."""

    method: str
    params: Optional[Dict[str, Any]]
    decode: Callable[[Any], R]


def _request(method: str, result: Type[R], **params: Any) -> Request[R]:
    return Request(method, _params(**params), decoder(result))


def _params(**params: Any) -> Dict[str, Any]:
    return {member(k): _value(v) for k, v in params.items() if v is not None and v is not False}


def _value(value: Any) -> Any:
    if isinstance(value, (bool, int, dict)):
        return value
    if isinstance(value, (list, tuple)):
        return [_value(v) for v in value]
    return to_wire(value)


def _paths(paths: Union[Text, Sequence[Text], None]) -> Optional[List[Text]]:
    """One path is not a sequence of letters."""
    if paths is None:
        return None
    return list(paths) if isinstance(paths, (list, tuple)) else [paths]  # type: ignore[list-item]


def run(
    *args: Text,
    cwd: Optional[Text] = None,
    env: Optional[Mapping[str, Optional[Text]]] = None,
    stdin: Optional[Text] = None,
    encoding: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Request[r.RunResult]:
    """Any hg command line, without the "hg": its exit code, output and errors.

    `env` is over the broker's environment, None unsets a variable. After
    `timeout` seconds the command is ended: RequestError of the kind "Timeout".
    """
    return Request("hg/run", _run_params(args, cwd, env, stdin, encoding, timeout), decoder(r.RunResult))


def _run_params(
    args: Iterable[Text],
    cwd: Optional[Text] = None,
    env: Optional[Mapping[str, Optional[Text]]] = None,
    stdin: Optional[Text] = None,
    encoding: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Dict[str, Any]:
    params: Dict[str, Any] = {"args": [to_wire(a) for a in args]}
    if cwd is not None:
        params["cwd"] = to_wire(cwd)
    if env:
        params["env"] = {k: None if v is None else to_wire(v) for k, v in env.items()}
    if stdin is not None:
        params["stdin"] = to_wire(stdin)
    if encoding is not None:
        params["encoding"] = encoding
    if timeout is not None:
        params["timeoutMs"] = max(1, round(timeout * 1000))
    return params


def run_batch(items: Iterable[Sequence[Text]], cwd: Optional[Text] = None) -> Request[List[Union[r.RunResult, RequestError]]]:
    """Several command lines, as if one after the other; neighbours that only read
    run side by side. In the place of one that could not be done is its error."""
    params = {"items": [_run_params(args, cwd) for args in items]}
    return Request("hg/runBatch", params, lambda v: _batch(v, decoder(r.RunResult)))


def _batch(value: Any, decode: Callable[[Any], R]) -> List[Union[R, RequestError]]:
    return [RequestError(item["error"]) if item.get("error") else decode(item["result"]) for item in value["results"]]


def state(*, repository: Optional[Text] = None) -> Request[r.StateResult]:
    """What is checked out, and what is under way."""
    return _request("hg/state", r.StateResult, repository=repository)


def status(
    paths: Union[Text, Sequence[Text], None] = None,
    *,
    rev: Optional[Text] = None,
    rev2: Optional[Text] = None,
    change: Optional[Text] = None,
    include: Union[Text, Sequence[Text], None] = None,
    exclude: Union[Text, Sequence[Text], None] = None,
    kinds: Optional[str] = None,
    copies: bool = False,
    repository: Optional[Text] = None,
) -> Request[r.StatusResult]:
    """Files that differ. `kinds` are letters of M A R ! ? I C, by default "MAR!?"."""
    return _request(
        "hg/status", r.StatusResult, paths=_paths(paths), rev=rev, rev2=rev2, change=change,
        include=_paths(include), exclude=_paths(exclude), kinds=kinds, copies=copies, repository=repository,
    )  # fmt: skip


def log(
    revset: Optional[Text] = None,
    *,
    paths: Union[Text, Sequence[Text], None] = None,
    follow: bool = False,
    limit: Optional[int] = None,
    cursor: Optional[str] = None,
    graph: bool = False,
    files: bool = False,
    repository: Optional[Text] = None,
) -> Request[r.LogResult]:
    """Changesets, newest first or in the revset's order. `cursor` is the `next` of
    the answer before; `graph` adds what is needed to draw, `files` the files."""
    return _request(
        "hg/log", r.LogResult, revset=revset, paths=_paths(paths), follow=follow, limit=limit, cursor=cursor,
        graph=graph, fields=["files"] if files else None, repository=repository,
    )  # fmt: skip


def cat(uri: Text, rev: Optional[Text] = None, *, repository: Optional[Text] = None) -> Request[r.CatResult]:
    """A file in a revision, by default the first parent of the working directory."""
    return _request("hg/cat", r.CatResult, uri=uri, rev=rev, repository=repository)


def cat_batch(items: Iterable[CatItem], *, repository: Optional[Text] = None) -> Request[List[Union[r.CatResult, RequestError]]]:
    """Several files; in the place of one that there is not is its error."""
    wire = []
    for item in items:
        uri, rev = item if isinstance(item, tuple) else (item, None)
        wire.append({"uri": to_wire(uri)} if rev is None else {"uri": to_wire(uri), "rev": to_wire(rev)})
    return Request("hg/catBatch", _params(items=wire, repository=repository), lambda v: _batch(v, decoder(r.CatResult)))


def line_diff(
    uri: Text, rev: Optional[Text] = None, *, content: Optional[Text] = None, repository: Optional[Text] = None
) -> Request[r.LineDiffResult]:
    """Where a file differs from a revision; `content` is a buffer that is not saved."""
    return _request("hg/lineDiff", r.LineDiffResult, uri=uri, rev=rev, content=content, repository=repository)


def annotate(
    uri: Text,
    rev: Optional[Text] = None,
    *,
    content: Optional[Text] = None,
    lines: Optional[Tuple[int, int]] = None,
    follow: Optional[bool] = None,
    ignore_whitespace: bool = False,
    repository: Optional[Text] = None,
) -> Request[r.AnnotateResult]:
    """Which changeset each line comes from, by default of the file on disk, or of
    `content`. `lines` are the first and the last one wanted, from 1."""
    request = _request(
        "hg/annotate", r.AnnotateResult, uri=uri, rev=rev, content=content,
        range=None if lines is None else {"first": lines[0], "last": lines[1]},
        ignore_whitespace=ignore_whitespace, repository=repository,
    )  # fmt: skip
    return _with(request, follow=follow)


def diff(
    paths: Union[Text, Sequence[Text], None] = None,
    *,
    rev: Optional[Text] = None,
    rev2: Optional[Text] = None,
    change: Optional[Text] = None,
    include: Union[Text, Sequence[Text], None] = None,
    exclude: Union[Text, Sequence[Text], None] = None,
    context: Optional[int] = None,
    git: Optional[bool] = None,
    ignore_all_space: bool = False,
    ignore_space_change: bool = False,
    ignore_blank_lines: bool = False,
    format: Optional[str] = None,
    repository: Optional[Text] = None,
) -> Request[r.DiffResult]:
    """What changed: as text (format "unified"), "hunks", or numbers ("stat")."""
    request = _request(
        "hg/diff", r.DiffResult, paths=_paths(paths), rev=rev, rev2=rev2, change=change, include=_paths(include),
        exclude=_paths(exclude), context=context, ignore_all_space=ignore_all_space, ignore_space_change=ignore_space_change,
        ignore_blank_lines=ignore_blank_lines, format=format, repository=repository,
    )  # fmt: skip
    return _with(request, git=git)


def _with(request: Request[R], **switches: Optional[bool]) -> Request[R]:
    """Adds switches that are on by default, so that False has to be sent."""
    assert request.params is not None
    request.params.update((member(k), v) for k, v in switches.items() if v is not None)
    return request


def refs(kinds: Sequence[str] = (), *, repository: Optional[Text] = None) -> Request[r.RefsResult]:
    """Branches, bookmarks, tags and heads, or what `kinds` names of these."""
    return _request("hg/refs", r.RefsResult, kinds=list(kinds) or None, repository=repository)


def resolve_revset(revset: Text, *, limit: Optional[int] = None, repository: Optional[Text] = None) -> Request[r.ResolveRevsetResult]:
    """The numbers and nodes that a revset names."""
    return _request("hg/resolveRevset", r.ResolveRevsetResult, revset=revset, limit=limit, repository=repository)


def render(revset: Text, template: Text, *, limit: Optional[int] = None, repository: Optional[Text] = None) -> Request[r.RenderResult]:
    """What `hg log -r revset -T template` prints."""
    return _request("hg/render", r.RenderResult, revset=revset, template=template, limit=limit, repository=repository)


def files(
    paths: Union[Text, Sequence[Text], None] = None,
    *,
    rev: Optional[Text] = None,
    include: Union[Text, Sequence[Text], None] = None,
    exclude: Union[Text, Sequence[Text], None] = None,
    repository: Optional[Text] = None,
) -> Request[r.FilesResult]:
    """Tracked files, of the working directory or of a revision."""
    return _request("hg/files", r.FilesResult, paths=_paths(paths), rev=rev, include=_paths(include), exclude=_paths(exclude), repository=repository)


def conflicts(*, repository: Optional[Text] = None) -> Request[r.ConflictsResult]:
    """Files of the merge that is under way."""
    return _request("hg/conflicts", r.ConflictsResult, repository=repository)


def config(names: Union[Text, Sequence[Text], None] = None, *, repository: Optional[Text] = None) -> Request[r.ConfigResult]:
    """The configuration: all of it, or sections and items by name."""
    return _request("hg/config", r.ConfigResult, names=_paths(names), repository=repository)


def paths(*, repository: Optional[Text] = None) -> Request[r.PathsResult]:
    """Remote repositories that have a name."""
    return _request("hg/paths", r.PathsResult, repository=repository)


def copy_source(uri: Text, rev: Optional[Text] = None, *, repository: Optional[Text] = None) -> Request[r.CopySourceResult]:
    """What a file was copied or renamed from."""
    return _request("hg/copySource", r.CopySourceResult, uri=uri, rev=rev, repository=repository)


def open_repository(repository: Optional[Text] = None) -> Request[r.OpenResult]:
    """Follows a repository: its changes come as notifications."""
    return _request("repository/open", r.OpenResult, repository=repository)


def close_repository(repository: Optional[Text] = None) -> Request[None]:
    """Follows it no longer."""
    return Request("repository/close", _params(repository=repository), lambda value: None)


def stats() -> Request[Dict[str, Any]]:
    """What broker and master hold and did, as JSON."""
    return Request("broker/stats", None, lambda value: value)


def flush(repository: Optional[Text] = None) -> Request[None]:
    """Drops cached repositories, or one."""
    return Request("broker/flush", _params(repository=repository), lambda value: None)
