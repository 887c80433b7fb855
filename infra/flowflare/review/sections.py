"""Group the stacks of two commits by what happens to them, and review each group once.

The stacks' own names are replaced by common words before the comparison, so that the same change to
a thousand tenants is one section.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import Field

from flowflare.engine.embedded.recording import Recorded, Stamps, Texts, load
from flowflare.kinds.assessment import RISKS, Risk, worst
from flowflare.model.frozen import Frozen
from flowflare.review.changes import review
from flowflare.review.compare import compare
from flowflare.review.entries import Review
from flowflare.review.merging import keep_common, make_merge_key, merge_reviews
from flowflare.review.record import CommitRecording
from flowflare.review.sameness import StackChange, compare_recordings, restore_texts

Raw = Mapping[str, Any]
SectionKind = Literal["changed", "added", "removed", "head-alone", "not-recorded"]

_NOTHING: Final[Raw] = {"error": ""}
_UNREADABLE_ERRORS: Final = (ValueError, TypeError, KeyError, AttributeError)
_UNREADABLE: Final = "its recording cannot be read"


class Section(Frozen):
    """One change, with the stacks that it affects."""

    stacks: tuple[str, ...] = Field(
        description="The stacks, sorted; empty if a whole commit could not be recorded."
    )
    kind: SectionKind = Field(
        description="`added` and `removed` stacks exist in only one of the commits; `head-alone`: "
        "the base could not be recorded, see `error`, and the review shows the stack as new; "
        "`not-recorded`: the head could not be recorded, and there is no review. The risk of both "
        "is `unknown`, unless the project does not exist in the base at all."
    )
    risk: Risk = Field(
        default="safe",
        description="The worst risk of its resources; at least `unknown` if a commit could not be "
        "recorded.",
    )
    api_calls: int = Field(
        default=0, description="Requests to Cloudflare's API for each of the stacks."
    )
    review: Review | None = Field(default=None, description="What `up` would do in each stack.")
    error: str = Field(
        default="", description="Why a commit could not be recorded; empty if both were."
    )

    doubts: tuple[str, ...] = Field(
        default=(), description="Sentences about what else could not be compared."
    )

    @classmethod
    def of(
        cls,
        stacks: Sequence[str],
        kind: SectionKind,
        review: Review,
        error: str = "",
        *,
        is_new: bool = False,
        doubts: Sequence[str] = (),
    ) -> "Section":
        """Make a section from a review, and compute its totals.

        Args:
            stacks: the stacks.
            kind: what happens to them.
            review: what `up` would do in each stack.
            error: why the base could not be recorded.
            is_new: whether the base is known not to have these stacks, whatever the error.
            doubts: sentences about what else could not be compared.
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
        """Make a section for stacks that could not be compared.

        Args:
            stacks: the stacks; empty for a whole commit.
            error: the reason.
        """
        return cls(stacks=tuple(stacks), kind="not-recorded", risk="unknown", error=error)

    @property
    def is_compared(self) -> bool:
        """Whether it shows a change; otherwise it only says what could not be compared."""
        if self.review is None:
            return False
        return self.risk != "unknown" or bool(self.review.changed or self.review.refusals)

    @property
    def refused_count(self) -> int:
        """How many operations `up` would refuse in each stack, without those that only wait."""
        refusals = self.review.refusals if self.review else ()
        return sum(refusal.kind != "skipped" for refusal in refusals)


def group_stacks(
    base: CommitRecording, head: CommitRecording, key: bytes
) -> tuple[tuple[Section, ...], tuple[str, ...]]:
    """Compare every stack of two recordings.

    Args:
        base: the commit to start from.
        head: the commit to compare with it.
        key: the key that both were stamped with.

    Returns:
        The sections, riskiest first, and the stacks that do not change, sorted.
    """
    if head.error:
        stacks = tuple(sorted(base.stacks))
        return (Section.unknown(stacks, head.error),), ()
    groups: dict[str, list[_Member]] = {}
    unchanged = []
    for stack in sorted(base.stacks.keys() | head.stacks.keys()):
        try:
            member = _compare_stack(stack, base, head)
        except _UNREADABLE_ERRORS:
            # A recording is unreadable only if the program wrote into it.
            member = _Member(stack, None, None, "", _UNREADABLE, StackChange(_UNREADABLE, 0, ()))
        if member is None:
            unchanged.append(stack)
        else:
            groups.setdefault(f"{member.error} {member.change.key}", []).append(member)
    project = head.project or base.project
    made = [_review_members(members, (base, head), project, key) for members in groups.values()]
    return sort_sections(merge_alike(made)), tuple(unchanged)


def merge_alike(sections: Iterable[Section]) -> list[Section]:
    """Merge sections whose reviews are equal."""
    found: dict[str, list[Section]] = {}
    for section in sections:
        content = make_merge_key(section.review) if section.review is not None else section.error
        key = f"{section.kind} {section.risk} {section.error} {content}"
        found.setdefault(key, []).append(section)
    return [_merge(alike) if len(alike) > 1 else alike[0] for alike in found.values()]


def _merge(alike: Sequence[Section]) -> Section:
    first = alike[0]
    stacks = sorted(stack for section in alike for stack in section.stacks)
    reviews = [section.review for section in alike if section.review is not None]
    review = merge_reviews(reviews) if reviews else None
    return first.model_copy(update={"stacks": tuple(stacks), "review": review})


def sort_sections(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Sort sections for display, worst risk first."""
    return tuple(sorted(sections, key=_make_sort_key))


@dataclass(frozen=True)
class _Member:
    """One stack that changes.

    Attributes:
        name: the stack's name.
        before: what it declares in the base; None if it does not exist there.
        after: what it declares in the head; None if it does not exist there.
        error: why the base could not be recorded.
        failure: why the head could not be recorded.
        change: what happens.
    """

    name: str
    before: Raw | None
    after: Raw | None
    error: str
    failure: str
    change: StackChange


def _compare_stack(stack: str, base: CommitRecording, head: CommitRecording) -> _Member | None:
    """Compare one stack; None if it does not change."""
    old, new = base.stacks.get(stack), head.stacks.get(stack)
    error = base.error or (old or _NOTHING)["error"]
    failure = (new or _NOTHING)["error"] or (error if new is None else "")
    if failure:
        return _Member(stack, None, None, "", failure, StackChange(failure, 0, ()))
    before = restore_texts(old, base.texts) if old is not None and not error else None
    after = restore_texts(new, head.texts) if new is not None else None
    if before == after:
        return None
    return _Member(stack, before, after, error, "", compare_recordings(before, after))


def _review_members(
    members: Sequence[_Member],
    commits: tuple[CommitRecording, CommitRecording],
    project: str,
    key: bytes,
) -> Section:
    first, stacks = members[0], [member.name for member in members]
    if first.failure:
        return Section.unknown(stacks, first.failure)
    before, after = first.before, first.after
    if len(members) == 1:
        before, after = _restore_own_words(first, commits)
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
    if len({member.change.unseen for member in members}) > 1:
        common = set.intersection(*(set(member.change.context) for member in members))
        reviewed = keep_common(reviewed, set(first.change.context) - common)
    is_new, doubts = commits[0].is_absent, _list_doubts(before, after)
    return Section.of(
        stacks, _choose_kind(first), reviewed, first.error, is_new=is_new, doubts=doubts
    )


def _list_doubts(before: Raw | None, after: Raw | None) -> list[str]:
    """Describe what differs in a stack and is not in its recordings."""
    if before is None or after is None:
        return []
    old, new = (
        (recording.get("not_read") or {}).get("environment", "") for recording in (before, after)
    )
    if old == new:
        return []
    was, becomes = (f"`{name}`" if name else "nothing" for name in (old, new))
    text = f"`environment` changes from {was} to {becomes}"
    return [f"{text}. Its values are not read, so any configuration may change."]


def _restore_own_words(
    member: _Member, commits: tuple[CommitRecording, CommitRecording]
) -> tuple[Raw | None, Raw | None]:
    """Return the recordings of a stack that is alone in its section, with its own words."""
    pairs = zip((member.before, member.after), commits, strict=True)
    before, after = (
        restore_texts({**commit.stacks[member.name], "words": {}}, commit.texts)
        if recording
        else None
        for recording, commit in pairs
    )
    return before, after


def _choose_kind(member: _Member) -> SectionKind:
    if member.error:
        return "head-alone"
    if member.before is None:
        return "added"
    return "removed" if member.after is None else "changed"


def _make_sort_key(section: Section) -> tuple[int, int, tuple[str, ...]]:
    return RISKS.index(section.risk), -len(section.stacks), section.stacks
