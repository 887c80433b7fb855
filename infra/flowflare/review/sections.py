"""Groups the stacks of two commits by what happens to them, and reviews each group once.

Stacks differ in their names by nature; they are compared with common words in their place, so that
the same change to a thousand tenants is one section.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field

from flowflare.engine.recording import Recorded, Stamps, Texts, canonical, load
from flowflare.model.frozen import Frozen
from flowflare.review.changes import review
from flowflare.review.compare import compare
from flowflare.review.entries import Review, Risk
from flowflare.review.record import CommitRecording

Raw = Mapping[str, Any]
Kind = Literal["changed", "added", "removed", "head-alone", "not-recorded"]

_REFERENCE = re.compile(r'"\$text":"([0-9a-f]{64})"')
_NOTHING: Final[Raw] = {
    "resources": [],
    "aliases": {},
    "failures": [],
    "error": "",
    "words": {},
}
_UNREADABLE: Final = "its recording cannot be read"


class Section(Frozen):
    """One change and the stacks that it happens to."""

    stacks: tuple[str, ...] = Field(
        description="The stacks, sorted; none where a whole commit could not be recorded."
    )
    kind: Kind = Field(
        description="`added` and `removed` stacks have a file in one of the commits only; "
        "`head-alone`: the base could not be recorded, see `error`, and the review is as if the "
        "stack were new; `not-recorded`: the head could not be, and there is no review."
    )
    risk: Risk = Field(default="safe", description="The worst risk of its resources.")
    api_calls: int = Field(
        default=0, description="Requests to Cloudflare's API that each of the stacks takes."
    )
    review: Review | None = Field(default=None, description="What `up` would do in each of them.")
    error: str = Field(
        default="", description="Why a commit could not be recorded; empty when both were."
    )

    @classmethod
    def of(cls, stacks: Sequence[str], kind: Kind, review: Review, error: str = "") -> "Section":
        """A section about a review, its sums taken from it."""
        return cls(
            stacks=tuple(stacks),
            kind=kind,
            risk=review.risk,
            api_calls=review.api_calls,
            review=review,
            error=error,
        )

    @property
    def refused(self) -> int:
        """How many resources `up` would refuse in each stack, without those that only wait."""
        refusals = self.review.refusals if self.review else ()
        return sum(one.kind != "skipped" for one in refusals)


def group(
    base: CommitRecording, head: CommitRecording, key: bytes
) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """Compares every stack of two recordings.

    Args:
        base: the commit to start from.
        head: the commit to come to.
        key: the key that both were stamped with.

    Returns:
        The sections, riskiest first, and the stacks in which nothing changes, sorted.
    """
    if head.error:
        stacks = tuple(sorted(base.stacks))
        return (Section(stacks=stacks, kind="not-recorded", error=head.error),), ()
    groups: dict[str, list[str]] = {}
    unchanged = []
    for stack in sorted(base.stacks.keys() | head.stacks.keys()):
        before, after = _text_of(base, stack), _text_of(head, stack)
        failed = head.stacks.get(stack, _NOTHING)["error"]
        if before == after and not failed:
            unchanged.append(stack)
        else:
            digest = hashlib.sha256(f"{before}\0{after}".encode()).hexdigest()
            groups.setdefault(digest, []).append(stack)
    sections = [_section(stacks, base, head, key) for stacks in groups.values()]
    return in_order(sections), tuple(unchanged)


def in_order(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Sections as they are shown: data loss first, then what could not be recorded, the rest."""
    return tuple(sorted(sections, key=_rank))


def _text_of(commit: CommitRecording, stack: str) -> str:
    """Everything that a stack is, with common words; the same text for the same thing."""
    raw = commit.stacks.get(stack)
    if raw is None:
        return ""
    words = raw["words"]
    text = _REFERENCE.sub("", _common(canonical({**raw, "words": {}, "policies": {}}), words))
    return text + "".join(_digest(_common(commit.texts[one], words)) for one in _used(raw))


def _section(
    stacks: Sequence[str], base: CommitRecording, head: CommitRecording, key: bytes
) -> Section:
    first = stacks[0]
    before, after = base.stacks.get(first), head.stacks.get(first)
    if after is not None and after["error"]:
        return Section(stacks=tuple(stacks), kind="not-recorded", error=after["error"])
    error = base.error or (before or _NOTHING)["error"]
    if error and after is None:
        return Section(stacks=tuple(stacks), kind="not-recorded", error=error)
    if error:
        before = None
    words = {**(before or _NOTHING)["words"], **(after or _NOTHING)["words"]}
    common = words if len(stacks) > 1 else {}
    try:
        plan = compare(
            _loaded(before, base.texts, common, key),
            _loaded(after, head.texts, common, key),
            project=head.project or base.project,
            stack="<stack>" if common else first,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        # Only a program that writes over its recording makes one that cannot be read.
        return Section(stacks=tuple(stacks), kind="not-recorded", error=_UNREADABLE)
    return Section.of(stacks, _kind(before, after, error), review(plan, diff=True), error)


def _kind(before: Raw | None, after: Raw | None, error: str) -> Kind:
    if error:
        return "head-alone"
    if before is None:
        return "added"
    return "removed" if after is None else "changed"


def _loaded(raw: Raw | None, texts: Mapping[str, str], words: Raw, key: bytes) -> Recorded:
    if raw is None:
        return Recorded()
    stamps = Stamps(key)
    if not words:
        return load(raw, stamps, Texts(dict(texts)))
    common = {digest: _common(texts[digest], words) for digest in _used(raw)}
    written = {name: value for name, value in raw.items() if name != "words"}
    return load(json.loads(_common(json.dumps(written), words)), stamps, Texts(common))


def _used(raw: Raw) -> list[str]:
    """The digests of the long texts that a recording refers to, sorted."""
    return sorted(set(_REFERENCE.findall(canonical(raw))))


def _common(text: str, words: Mapping[str, str]) -> str:
    for own, common in words.items():
        text = text.replace(own, common)
    return text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _rank(section: Section) -> tuple[int, int, tuple[str, ...]]:
    if section.review is None:
        return 1, -len(section.stacks), section.stacks
    order = {"loses-data": 0, "restarts": 2, "safe": 3}
    return order[section.risk], -len(section.stacks), section.stacks
