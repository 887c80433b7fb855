"""Groups the stacks of two commits by what happens to them, and reviews each group once.

Stacks differ in their names by nature; they are compared with common words in their place, so that
the same change to a thousand tenants is one section.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from flowflare.engine.recording import Recorded, Stamps, Texts, canonical, load
from flowflare.model.frozen import Frozen
from flowflare.review.changes import review
from flowflare.review.compare import compare
from flowflare.review.entries import Review, Risk
from flowflare.review.record import CommitRecording

Raw = Mapping[str, Any]
_REFERENCE = re.compile(r'"\$text":"([0-9a-f]{64})"')
Kind = Literal["changed", "added", "removed", "not-recorded"]
_NOTHING: Raw = {"resources": [], "aliases": {}, "failures": [], "error": "", "words": {}}


class Section(Frozen):
    """One change and the stacks that it happens to."""

    stacks: tuple[str, ...] = Field(description="The stacks, sorted.")
    kind: Kind = Field(
        description="`added` and `removed` stacks have a file in one of the commits only; those "
        "`not-recorded` could not be, see `error`."
    )
    risk: Risk = Field(default="safe", description="The worst risk of its resources.")
    api_calls: int = Field(
        default=0, description="Requests to Cloudflare's API that each of the stacks takes."
    )
    review: Review | None = Field(default=None, description="What `up` would do in each of them.")
    error: str = Field(default="", description="Why there is no review.")

    @classmethod
    def of(cls, stacks: Sequence[str], kind: Kind, review: Review) -> "Section":
        """A section about a review, its sums taken from it."""
        return cls(
            stacks=tuple(stacks),
            kind=kind,
            risk=review.risk,
            api_calls=review.api_calls,
            review=review,
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
    groups: dict[str, list[str]] = {}
    unchanged = []
    for stack in sorted(base.stacks.keys() | head.stacks.keys()):
        before, after = _texts_of(base, stack), _texts_of(head, stack)
        if before == after:
            unchanged.append(stack)
        else:
            digest = hashlib.sha256(f"{before}\0{after}".encode()).hexdigest()
            groups.setdefault(digest, []).append(stack)
    sections = [_section(stacks, base, head, key) for stacks in groups.values()]
    sections.sort(key=_rank)
    return tuple(sections), tuple(unchanged)


def _texts_of(commit: CommitRecording, stack: str) -> str:
    """Everything that a stack is, with common words; the same text for the same thing."""
    raw = commit.stacks.get(stack)
    if raw is None:
        return ""
    words = raw["words"]
    text = _REFERENCE.sub("", _common(canonical({**raw, "words": {}}), words))
    return text + "".join(_digest(_common(commit.texts[one], words)) for one in _used(raw))


def _section(
    stacks: Sequence[str], base: CommitRecording, head: CommitRecording, key: bytes
) -> Section:
    first = stacks[0]
    before, after = base.stacks.get(first), head.stacks.get(first)
    kind: Kind = "changed"
    if before is None or after is None:
        kind = "removed" if after is None else "added"
    error = (after or _NOTHING)["error"] or (before or _NOTHING)["error"]
    if error:
        return Section(stacks=tuple(stacks), kind="not-recorded", error=error)
    words = {**(before or _NOTHING)["words"], **(after or _NOTHING)["words"]}
    common = words if len(stacks) > 1 else {}
    plan = compare(
        _loaded(before, base.texts, common, key),
        _loaded(after, head.texts, common, key),
        project=head.project or base.project,
        stack="<stack>" if common else first,
    )
    return Section.of(stacks, kind, review(plan, diff=True))


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
    """Data loss first, then what could not be recorded, restarts, the rest."""
    if section.review is None:
        return 1, -len(section.stacks), section.stacks
    order = {"loses-data": 0, "restarts": 2, "safe": 3}
    return order[section.review.risk], -len(section.stacks), section.stacks
