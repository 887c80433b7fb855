"""Describe what clients do, and what must be seen afterwards: the data of the conformance table.

Words in braces, such as `{db}`, are replaced by values that earlier calls of the story saved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Client(Enum):
    """The programs that call the emulator, as the page names them."""

    WRANGLER = "wrangler 4.164"
    WRANGLER_4_20 = "wrangler 4.20.5"
    WRANGLER_3 = "wrangler 3.114.17"
    PYTHON = "cloudflare-python"
    TYPESCRIPT = "cloudflare-typescript"
    HTTP = "HTTP"


class Outcome(Enum):
    """How a row ends."""

    WORKS = "works"
    REFUSED = "refused as Cloudflare refuses"
    GAP = "named gap"
    FAULT = "the client's own fault"
    WRONG = "wrong"


@dataclass(frozen=True)
class Seen:
    """Another client reads this from the API after the command.

    Attributes:
        path: below the account, or a full path that begins with `/client/v4`.
        pick: the members to follow; `*` makes a list of all elements. The result is the start.
        value: what must be there.
        has: whether the value must be in a list or text, rather than equal to it.
    """

    path: str
    pick: str
    value: Any
    has: bool = False

    def __str__(self) -> str:
        """Return the check in the words of the page."""
        return f"`{self.path}` {self.pick} {'has' if self.has else '='} `{self.value}`"


@dataclass(frozen=True)
class Absent:
    """Another client gets 404 for this path."""

    path: str

    def __str__(self) -> str:
        """Return the check in the words of the page."""
        return f"`{self.path}` is 404"


@dataclass(frozen=True)
class Answers:
    """A request to the Worker's own URL gets an answer with this text."""

    script: str
    text: str

    def __str__(self) -> str:
        """Return the check in the words of the page."""
        return f"Worker `{self.script}` answers `{self.text}`"


@dataclass(frozen=True)
class Prints:
    """The command's own output has this text, which another client stored before."""

    text: str

    def __str__(self) -> str:
        """Return the check in the words of the page."""
        return f"prints `{self.text}`"


Check = Seen | Absent | Answers | Prints


@dataclass(frozen=True)
class Row:
    """One command or call.

    Attributes:
        words: wrangler's command, `client.` names of an SDK, or a method and a path.
        checks: what must be seen afterwards.
        refused: Cloudflare's error code, if the call must be refused.
        body: the arguments of an SDK's call, or the JSON body of a request.
        arguments: the positional arguments of an SDK's call.
        files: files of the folder to write before.
        stdin: what the command reads.
        save: values of the call's result to save, by their names.
        status: the HTTP status of the refusal; None if any is right.
        fault: the name of an exception that the client raises by its own fault.
    """

    words: str
    checks: tuple[Check, ...] = ()
    refused: int = 0
    body: Any = None
    arguments: tuple[Any, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    save: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    fault: str = ""


@dataclass(frozen=True)
class Call:
    """A request that prepares a story; it must succeed.

    Attributes:
        save: values of the result to save, by their names.
    """

    words: str
    body: Any = None
    save: Mapping[str, str] = field(default_factory=dict)
    script: str = ""
    """The source of a module: the request is an upload, and the body its metadata."""


@dataclass(frozen=True, eq=False)
class Story:
    """Rows that follow each other in a folder and an account of their own."""

    title: str
    client: Client
    rows: tuple[Row, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    prepare: Sequence[Call] = ()
    quick: bool = False
    """Whether `make test` runs it."""


def works(words: str, *checks: Check, **options: Any) -> Row:
    """Return a row that must work."""
    return Row(words, checks, **options)


def refuses(words: str, code: int, *checks: Check, **options: Any) -> Row:
    """Return a row that must be refused with this code."""
    return Row(words, checks, refused=code, **options)
