"""Format our comments: a hidden first line, a notice if the plan is stale, and the plan.

The first line contains nothing from the report, which the pull request's own job made.
"""

import re
from dataclasses import dataclass
from typing import Final

#: GitHub's limit for a comment, in characters; GitLab's is higher.
LIMIT: Final = 65_536
#: Characters reserved for the first line, the notice and the line below the plan.
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
class ShownPlan:
    """A plan as shown in a comment.

    Attributes:
        name: which of the pull request's comments, for repositories with several projects.
        head: the full hash of the plan's commit; empty if the marker cannot be read.
        run: the number of the run that made the plan, and of its attempt; higher is newer.
        content: the plan, as Markdown.
        notice: why the plan is out of date, as Markdown; empty if it is current.
    """

    name: str
    head: str
    run: Run
    content: str
    notice: str = ""


def compose(shown: ShownPlan) -> str:
    """Compose the comment's text."""
    first = f"{_OPENING} {shown.name} head={shown.head} run={shown.run[0]}.{shown.run[1]} -->\n"
    notice = f"{shown.notice.strip()}\n\n" if shown.notice else ""
    text = f"{notice}{_DIVIDER}{shown.content.strip()}"
    return first + defuse_commands(text)


def defuse_commands(text: str) -> str:
    """Put an invisible character before each line that begins with a slash.

    GitLab, and bots on GitHub, execute such a line as a command of the comment's author: `/merge`.
    """
    return _COMMAND.sub("\\1\N{ZERO WIDTH SPACE}/", text)


def read_marker(body: str, name: str) -> ShownPlan | None:
    """Read the plan in a comment; None if it is not our comment with that name.

    Only the start of the text counts, so that a comment that quotes a marker is not ours. A first
    line of another release that cannot be parsed is still ours, and older than any other.
    """
    body = body.replace("\r\n", "\n")
    first = _FIRST.match(body)
    if first is None or first[1] != name:
        return None
    if first[2] is None:
        return ShownPlan(name, "", (0, 0), "")
    notice, _, content = body.partition("\n")[2].partition(_DIVIDER)
    return ShownPlan(
        name, first[2], (int(first[3]), int(first[4])), content.strip(), notice.strip()
    )


def is_name(text: str) -> bool:
    """Return whether a comment may have this name."""
    return _NAME.fullmatch(text) is not None
