# SPDX-License-Identifier: GPL-2.0-or-later
"""The results of the methods, as protocol/schema.json describes them.

An attribute is the JSON member of its name, in snake case. Its annotation says
how it is decoded: `bytes` for content and output, `str` for all other text.
Lists that the broker leaves out are empty; members that are not known here are
ignored, so that a newer broker can be asked. Times are seconds since 1970, nodes
forty hexadecimal digits, sizes bytes, paths relative to the repository's root
unless said otherwise.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, List, Optional, Tuple, Type, TypeVar

from .wire import CommandError, bytes_from_wire, str_from_wire, to_str

T = TypeVar("T")


@dataclass
class Bound:
    """What every answer about a repository carries."""

    generation: str = ""  #: equal as long as the repository is
    served: str = ""  #: "warm" or "cold": natively; "fallback": by the real hg


@dataclass
class RunResult:
    exit_code: int = 0
    stdout: bytes = b""
    stderr: bytes = b""
    served: str = ""
    generation: str = ""

    @property
    def text(self) -> str:
        """The output as `str`, with surrogate escapes for what is not UTF-8."""
        return to_str(self.stdout)

    def check(self) -> "RunResult":
        """Itself, if the command ended with 0; else raises CommandError."""
        if self.exit_code:
            raise CommandError(self.exit_code, self.stdout, self.stderr)
        return self


@dataclass
class Output:
    """A piece of a streamed command's output."""

    channel: str = ""  #: "out" or "err"
    data: bytes = b""


@dataclass
class GraphEdge:
    from_: int = 0  #: column in this row
    to: int = 0  #: column in the next one
    kind: str = ""  #: "parent", "grandparent", "missing"


@dataclass
class GraphRow:
    column: int = 0
    columns: int = 0
    edges: List[GraphEdge] = field(default_factory=list)


@dataclass
class Commit:
    rev: int = -1
    node: str = ""
    parents: List[str] = field(default_factory=list)
    user: str = ""
    date: Tuple[int, int] = (0, 0)  #: seconds since 1970; seconds west of Greenwich
    branch: str = ""
    desc: str = ""
    phase: str = ""
    bookmarks: List[str] = field(default_factory=list)
    tags: List[str] = field(default_factory=list)
    files: List[str] = field(default_factory=list)  #: when `log` was asked for them
    obsolete: bool = False
    graph: Optional[GraphRow] = None

    @property
    def when(self) -> datetime:
        """The date, in the zone of whoever committed."""
        seconds, west = self.date
        zone = timezone(timedelta(seconds=-west))
        return datetime.fromtimestamp(0, zone) + timedelta(seconds=seconds)


@dataclass
class Operation:
    name: str = ""  #: merge, rebase, graft, histedit, ...
    continue_: str = ""  #: the hg command line that goes on
    abort: str = ""


@dataclass
class StateResult(Bound):
    root: str = ""
    parents: List[Commit] = field(default_factory=list)
    branch: str = ""
    bookmark: str = ""  #: the active one
    topic: str = ""
    operation: Optional[Operation] = None
    conflicts: int = 0  #: unresolved files


@dataclass
class FileStatus:
    path: str = ""
    status: str = ""  #: one letter of M A R ! ? I C
    copy_source: str = ""


@dataclass
class StatusResult(Bound):
    files: List[FileStatus] = field(default_factory=list)


@dataclass
class LogResult(Bound):
    commits: List[Commit] = field(default_factory=list)
    next: str = ""  #: the cursor of what comes after, "" at the end


@dataclass
class CatResult(Bound):
    path: str = ""
    content: bytes = b""
    size: int = 0
    node: str = ""  #: of the changeset
    flags: str = ""  #: "", "x" or "l"
    binary: bool = False


@dataclass
class LineHunk:
    """Lines count from 1; of no lines, the start is the line before them."""

    old_start: int = 0
    old_lines: int = 0
    new_start: int = 0
    new_lines: int = 0


@dataclass
class LineDiffResult(Bound):
    path: str = ""
    hunks: List[LineHunk] = field(default_factory=list)
    binary: bool = False


@dataclass
class AnnotatedLine:
    commit: int = -1  #: index in commits, -1 for a line that is not committed
    line: int = 0
    path: str = ""  #: of the file there, when it was another one


@dataclass
class AnnotateResult(Bound):
    path: str = ""
    binary: bool = False
    lines: List[AnnotatedLine] = field(default_factory=list)
    commits: List[Commit] = field(default_factory=list)


@dataclass
class DiffHunk(LineHunk):
    lines: List[bytes] = field(default_factory=list)  #: each with its ' ', '-', '+' or '\\'


@dataclass
class DiffFile:
    path: str = ""
    old_path: str = ""
    status: str = ""  #: modified, added, removed, copied, renamed
    binary: bool = False
    added: int = 0
    removed: int = 0
    hunks: List[DiffHunk] = field(default_factory=list)


@dataclass
class DiffResult(Bound):
    text: Optional[bytes] = None  #: format "unified"
    files: List[DiffFile] = field(default_factory=list)  #: "hunks", "stat"


@dataclass
class Branch:
    name: str = ""
    rev: int = -1
    node: str = ""
    active: bool = False
    closed: bool = False
    current: bool = False


@dataclass
class Bookmark:
    name: str = ""
    rev: int = -1
    node: str = ""
    active: bool = False


@dataclass
class Tag:
    name: str = ""
    rev: int = -1
    node: str = ""
    type: str = ""


@dataclass
class Head:
    rev: int = -1
    node: str = ""
    branch: str = ""


@dataclass
class RefsResult(Bound):
    branches: List[Branch] = field(default_factory=list)
    bookmarks: List[Bookmark] = field(default_factory=list)
    tags: List[Tag] = field(default_factory=list)
    heads: List[Head] = field(default_factory=list)


@dataclass
class Revision:
    rev: int = -1
    node: str = ""


@dataclass
class ResolveRevsetResult(Bound):
    revs: List[Revision] = field(default_factory=list)


@dataclass
class RenderResult(Bound):
    text: bytes = b""


@dataclass
class TrackedFile:
    path: str = ""
    flags: str = ""
    size: int = 0


@dataclass
class FilesResult(Bound):
    files: List[TrackedFile] = field(default_factory=list)


@dataclass
class Conflict:
    path: str = ""
    status: str = ""  #: "U" unresolved, "R" resolved


@dataclass
class ConflictsResult(Bound):
    files: List[Conflict] = field(default_factory=list)


@dataclass
class ConfigItem:
    name: str = ""
    value: str = ""
    source: str = ""


@dataclass
class ConfigResult(Bound):
    items: List[ConfigItem] = field(default_factory=list)


@dataclass
class RemotePath:
    name: str = ""
    url: str = ""
    push_url: str = ""


@dataclass
class PathsResult(Bound):
    paths: List[RemotePath] = field(default_factory=list)


@dataclass
class CopySourceResult(Bound):
    source: Optional[str] = None


@dataclass
class OpenResult:
    root: str = ""  #: absolute
    store: str = ""  #: absolute; another repository's for a share
    requirements: List[str] = field(default_factory=list)
    native: bool = False
    reason: str = ""  #: why not
    watched: bool = False  #: changes will be told
    generation: str = ""


@dataclass
class DidChange:
    """A followed repository has changed."""

    root: str = ""  #: absolute
    generation: str = ""
    kinds: List[str] = field(default_factory=list)  #: of state, status, refs, commits, conflicts, config


@dataclass
class Choice:
    value: str = ""  #: the answer, usually one letter
    label: str = ""


@dataclass
class Prompt:
    """What hg asks a person. "" answers with the default, None not at all: hg aborts."""

    kind: str = ""  #: "choice" and "confirm" want a choice's value; "text" and "password" any line
    message: str = ""
    choices: List[Choice] = field(default_factory=list)
    default: Optional[str] = None


@dataclass
class Edit:
    """A text that hg would open an editor with; None as the answer makes hg give up."""

    text: bytes = b""
    suffix: str = ""  #: of the file's name: ".commit.hg.txt", ".diff", ...


@dataclass
class LogMessage:
    type: int = 4  #: LSP's: 1 error, 2 warning, 3 info, 4 log
    message: str = ""


@dataclass
class Capabilities:
    """What the broker can do; `initialize` says it."""

    methods: List[str] = field(default_factory=list)
    native_commands: List[str] = field(default_factory=list)
    requirements: List[str] = field(default_factory=list)
    fallback: str = ""
    languages: Dict[str, List[str]] = field(default_factory=dict)  #: names that are evaluated natively, by kind


Decoder = Callable[[Any], Any]
_decoders: Dict[Any, Decoder] = {str: str_from_wire, bytes: bytes_from_wire}


def member(attribute: str) -> str:
    """The JSON member of an attribute: `exit_code` is "exitCode"."""
    first, *rest = attribute.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def decoder(cls: Type[T]) -> Callable[[Any], T]:
    """A function that makes a T of decoded JSON; made once for each type."""
    known = _decoders.get(cls)
    if known is None:
        known = _decoders[cls] = _make(cls)
    return known


def _make(t: Any) -> Decoder:
    origin, of = typing.get_origin(t), typing.get_args(t)
    if dataclasses.is_dataclass(t):
        return _make_members(t)
    if origin is list:
        item = decoder(of[0])
        return lambda value: [item(v) for v in value or ()]
    if origin is tuple:
        return tuple
    if origin is typing.Union:  # Optional
        some = decoder(of[0])
        return lambda value: None if value is None else some(value)
    return lambda value: value


def _make_members(cls: Any) -> Decoder:
    hints = typing.get_type_hints(cls)
    members = {member(f.name): (f.name, decoder(hints[f.name])) for f in dataclasses.fields(cls)}

    def decode(value: Dict[str, Any]) -> Any:
        result = cls()
        for name, item in value.items():
            if name in members:
                attribute, convert = members[name]
                setattr(result, attribute, convert(item))
        return result

    return decode


NOTIFICATIONS: Dict[str, Callable[[Any], Any]] = {
    "repository/didChange": decoder(DidChange),
    "window/logMessage": decoder(LogMessage),
}

#: The requests that come from the broker.
QUESTIONS: Dict[str, Callable[[Any], Any]] = {"hg/prompt": decoder(Prompt), "hg/edit": decoder(Edit)}
