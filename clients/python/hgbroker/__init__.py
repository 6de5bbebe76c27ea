# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of hgbroker, Mercurial's command server for many small questions.

`Client` blocks, `AsyncClient` is for asyncio; both have the same methods. Each
starts a broker of its own (`hgbroker --stdio`) and ends it; this package never
runs hg and reads nothing of a repository.

Mercurial knows bytes. Here content and output (`stdout`, `content`, a diff's
text) are `bytes`; names and messages (paths, branches, users, descriptions) are
`str`, in which bytes that are not UTF-8 are surrogate escapes, as in
`os.fsdecode`: nothing is replaced or dropped. Where a value goes in, `str`,
`bytes` and `os.PathLike` will do. `to_bytes` and `to_str` convert.
"""

from .aio import AsyncClient, AsyncStream, Changes
from .blocking import Client, Stream
from .requests import Request
from .results import (
    AnnotatedLine,
    AnnotateResult,
    Branch,
    Bookmark,
    Capabilities,
    CatResult,
    Choice,
    Commit,
    ConfigItem,
    ConfigResult,
    Conflict,
    ConflictsResult,
    CopySourceResult,
    DidChange,
    DiffFile,
    DiffHunk,
    DiffResult,
    Edit,
    FilesResult,
    FileStatus,
    GraphEdge,
    GraphRow,
    Head,
    LineDiffResult,
    LineHunk,
    LogMessage,
    LogResult,
    OpenResult,
    Operation,
    Output,
    PathsResult,
    Prompt,
    RefsResult,
    RemotePath,
    RenderResult,
    ResolveRevsetResult,
    Revision,
    RunResult,
    StateResult,
    StatusResult,
    Tag,
    TrackedFile,
)
from .wire import CommandError, ConnectionLost, Error, RequestError, to_bytes, to_str

__all__ = [name for name in dir() if name[0].isupper()] + ["to_bytes", "to_str"]
