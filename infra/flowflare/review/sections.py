"""Groups the stacks of two commits by what happens to them, and reviews each group once.

Stacks differ in their names by nature; they are compared with common words in their place, so that
the same change to a thousand tenants is one section.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field

from flowflare.engine.recording import Recorded, Stamps, Texts, load
from flowflare.kinds.assessment import RISKS, Risk, worst
from flowflare.model.frozen import Frozen
from flowflare.review.changes import review
from flowflare.review.compare import compare
from flowflare.review.entries import Review
from flowflare.review.merging import merge_key, of_all, of_several
from flowflare.review.record import CommitRecording
from flowflare.review.sameness import Change, change_of, whole

Raw = Mapping[str, Any]
Kind = Literal["changed", "added", "removed", "head-alone", "not-recorded"]

_NOTHING: Final[Raw] = {"error": ""}
_UNREADABLE_ERRORS: Final = (ValueError, TypeError, KeyError, AttributeError)
_UNREADABLE: Final = "its recording cannot be read"


class Section(Frozen):
    """One change and the stacks that it happens to."""

    stacks: tuple[str, ...] = Field(
        description="The stacks, sorted; none where a whole commit could not be recorded."
    )
    kind: Kind = Field(
        description="`added` and `removed` stacks have a file in one of the commits only; "
        "`head-alone`: the base could not be recorded, see `error`, and the review is as if the "
        "stack were new; `not-recorded`: the head could not be, and there is no review. The risk "
        "of both is `unknown`, unless the base has no such project at all."
    )
    risk: Risk = Field(
        default="safe",
        description="The worst risk of its resources; at least `unknown` if a commit could not be "
        "recorded.",
    )
    api_calls: int = Field(
        default=0, description="Requests to Cloudflare's API that each of the stacks takes."
    )
    review: Review | None = Field(default=None, description="What `up` would do in each of them.")
    error: str = Field(
        default="", description="Why a commit could not be recorded; empty when both were."
    )

    doubts: tuple[str, ...] = Field(
        default=(), description="What else of the stacks could not be compared, sentences."
    )

    @classmethod
    def of(
        cls,
        stacks: Sequence[str],
        kind: Kind,
        review: Review,
        error: str = "",
        *,
        is_new: bool = False,
        doubts: Sequence[str] = (),
    ) -> "Section":
        """Make a section about a review, its sums taken from it.

        Args:
            stacks: the stacks.
            kind: what happens to them.
            review: what `up` would do in each.
            error: why the base could not be recorded.
            is_new: whether the base is known to have no such stacks, whatever the error.
            doubts: what else could not be compared.
        """
        of_base: Risk = "unknown" if doubts or (error and not is_new) else "safe"
        return cls(
            stacks=tuple(stacks),
            kind=kind,
            risk=worst((review.risk, of_base)),
            api_calls=review.api_calls,
            review=review,
            error=error,
            doubts=tuple(doubts),
        )

    @classmethod
    def unknown(cls, stacks: Sequence[str], error: str) -> "Section":
        """Make a section about stacks that could not be compared.

        Args:
            stacks: the stacks; none for a whole commit.
            error: why not.
        """
        return cls(stacks=tuple(stacks), kind="not-recorded", risk="unknown", error=error)

    @property
    def is_compared(self) -> bool:
        """Whether it shows a change; without one it only says what could not be compared."""
        if self.review is None:
            return False
        return self.risk != "unknown" or bool(self.review.changed or self.review.refusals)

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
        return (Section.unknown(stacks, head.error),), ()
    groups: dict[str, list[_Member]] = {}
    unchanged = []
    for stack in sorted(base.stacks.keys() | head.stacks.keys()):
        try:
            member = _member(stack, base, head)
        except _UNREADABLE_ERRORS:
            # Only a program that writes over its recording makes one that cannot be read.
            member = _Member(stack, None, None, "", _UNREADABLE, Change(_UNREADABLE, 0, ()))
        if member is None:
            unchanged.append(stack)
        else:
            groups.setdefault(f"{member.error} {member.change.key}", []).append(member)
    project = head.project or base.project
    made = [_section(members, (base, head), project, key) for members in groups.values()]
    return in_order(merged(made)), tuple(unchanged)


def merged(sections: Iterable[Section]) -> list[Section]:
    """Sections of which each is another change: those whose reviews say the same are one."""
    found: dict[str, list[Section]] = {}
    for section in sections:
        told = merge_key(section.review) if section.review is not None else section.error
        key = f"{section.kind} {section.risk} {section.error} {told}"
        found.setdefault(key, []).append(section)
    return [_merged(alike) if len(alike) > 1 else alike[0] for alike in found.values()]


def _merged(alike: Sequence[Section]) -> Section:
    first = alike[0]
    stacks = sorted(stack for one in alike for stack in one.stacks)
    reviews = [one.review for one in alike if one.review is not None]
    review = of_all(reviews) if reviews else None
    return first.model_copy(update={"stacks": tuple(stacks), "review": review})


def in_order(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Sections as they are shown, the worst risk first."""
    return tuple(sorted(sections, key=_rank))


@dataclass(frozen=True)
class _Member:
    """One stack that changes.

    Attributes:
        name: the stack.
        before: what it declares in the base, None where there is no such stack.
        after: the same in the head.
        error: why the base could not be recorded.
        failure: why the head could not be.
        change: what happens.
    """

    name: str
    before: Raw | None
    after: Raw | None
    error: str
    failure: str
    change: Change


def _member(stack: str, base: CommitRecording, head: CommitRecording) -> _Member | None:
    """A stack with what happens to it; None where that is nothing."""
    old, new = base.stacks.get(stack), head.stacks.get(stack)
    error = base.error or (old or _NOTHING)["error"]
    failure = (new or _NOTHING)["error"] or (error if new is None else "")
    if failure:
        return _Member(stack, None, None, "", failure, Change(failure, 0, ()))
    before = whole(old, base.texts) if old is not None and not error else None
    after = whole(new, head.texts) if new is not None else None
    if before == after:
        return None
    return _Member(stack, before, after, error, "", change_of(before, after))


def _section(
    members: Sequence[_Member],
    commits: tuple[CommitRecording, CommitRecording],
    project: str,
    key: bytes,
) -> Section:
    first, stacks = members[0], [one.name for one in members]
    if first.failure:
        return Section.unknown(stacks, first.failure)
    before, after = first.before, first.after
    if len(members) == 1:
        before, after = _own(first, commits)
    stamps = Stamps(key)
    try:
        plan = compare(
            load(before, stamps, Texts()) if before else Recorded(),
            load(after, stamps, Texts()) if after else Recorded(),
            project=project,
            stack=first.name if len(members) == 1 else "<stack>",
        )
        reviewed = review(plan, diff=True)
    except _UNREADABLE_ERRORS:
        return Section.unknown(stacks, _UNREADABLE)
    if len({one.change.unseen for one in members}) > 1:
        common = set.intersection(*(set(one.change.context) for one in members))
        reviewed = of_several(reviewed, set(first.change.context) - common)
    is_new, doubts = commits[0].is_absent, _doubts(before, after)
    return Section.of(stacks, _kind(first), reviewed, first.error, is_new=is_new, doubts=doubts)


def _doubts(before: Raw | None, after: Raw | None) -> list[str]:
    """What of a stack differs and is not in its recordings."""
    if before is None or after is None:
        return []
    old, new = ((one.get("not_read") or {}).get("environment", "") for one in (before, after))
    if old == new:
        return []
    was, becomes = (f"`{one}`" if one else "nothing" for one in (old, new))
    text = f"`environment` changes from {was} to {becomes}"
    return [f"{text}. Its values are not read, so any configuration may change."]


def _own(
    member: _Member, commits: tuple[CommitRecording, CommitRecording]
) -> tuple[Raw | None, Raw | None]:
    """The recordings of a stack that stands alone, in its own words."""
    pairs = zip((member.before, member.after), commits, strict=True)
    before, after = (
        whole({**commit.stacks[member.name], "words": {}}, commit.texts) if one else None
        for one, commit in pairs
    )
    return before, after


def _kind(member: _Member) -> Kind:
    if member.error:
        return "head-alone"
    if member.before is None:
        return "added"
    return "removed" if member.after is None else "changed"


def _rank(section: Section) -> tuple[int, int, tuple[str, ...]]:
    return RISKS.index(section.risk), -len(section.stacks), section.stacks
