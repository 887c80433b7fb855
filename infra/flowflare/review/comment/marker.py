"""What a comment of ours looks like: a hidden first line, a notice if it is stale, the plan.

Nothing in the first line comes from the report: a pull request's own job made that.
"""

import re
from dataclasses import dataclass
from typing import Final

#: What GitHub takes as a comment, in characters; GitLab takes more.
LIMIT: Final = 65_536
#: Characters to leave for the first line, the notice and the line below the plan.
RESERVE: Final = 1_500
_OPENING: Final = "<!-- flowflare-comment"
_DIVIDER: Final = "<!-- flowflare-plan -->\n"
_FIRST: Final = re.compile(
    _OPENING + r" ([a-z0-9-]{1,40}) (?:head=([0-9a-f]{40,64}) run=(\d{1,18})\.(\d{1,18}) )?"
)
_COMMAND: Final = re.compile(r"^(\s*)/", re.MULTILINE)
_NAME: Final = re.compile(r"[a-z0-9-]{1,40}")

Run = tuple[int, int]


@dataclass(frozen=True)
class Shown:
    """A plan as a comment shows it.

    Attributes:
        name: which of the pull request's comments, for repositories with several projects.
        head: the full hash of the commit that the plan is for; empty where it cannot be read.
        run: number of the run that made it and of its attempt; greater is newer.
        content: the plan, Markdown.
        notice: why the plan is not of use any more, Markdown; empty while it is.
    """

    name: str
    head: str
    run: Run
    content: str
    notice: str = ""


def compose(shown: Shown) -> str:
    """The comment's text."""
    first = f"{_OPENING} {shown.name} head={shown.head} run={shown.run[0]}.{shown.run[1]} -->\n"
    notice = f"{shown.notice.strip()}\n\n" if shown.notice else ""
    text = f"{notice}{_DIVIDER}{shown.content.strip()}"
    return first + without_commands(text)


def without_commands(text: str) -> str:
    """The text with an invisible character in front of each line that begins with a slash.

    GitLab, and bots on GitHub, take such a line as a command of the comment's author: `/merge`.
    """
    return _COMMAND.sub("\\1\N{ZERO WIDTH SPACE}/", text)


def read(body: str, name: str) -> Shown | None:
    """What a comment shows; None if it is no comment of ours with that name.

    Only the very beginning counts: a text that quotes a marker is no comment of ours. A first line
    of another release that cannot be read in full still makes it ours, and older than any other.
    """
    body = body.replace("\r\n", "\n")
    first = _FIRST.match(body)
    if first is None or first[1] != name:
        return None
    if first[2] is None:
        return Shown(name, "", (0, 0), "")
    notice, _, content = body.partition("\n")[2].partition(_DIVIDER)
    return Shown(name, first[2], (int(first[3]), int(first[4])), content.strip(), notice.strip())


def is_name(text: str) -> bool:
    """Whether a comment may be called so."""
    return _NAME.fullmatch(text) is not None
