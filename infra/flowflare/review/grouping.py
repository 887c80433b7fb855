"""Group the stacks of two commits by what happens to them, and review each group once.

The stacks' own names are replaced by common words before the comparison, so that the same change to
a thousand tenants is one section. Stacks that differ in values only are one section too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.engine.embedded.recording import RecordedProgram, Stamps, Texts, load
from flowflare.kinds.assessment import RISKS
from flowflare.review.changes import review
from flowflare.review.compare import compare
from flowflare.review.merging import (
    drop_digests_of,
    keep_common,
    make_merge_key,
    merge_reviews,
)
from flowflare.review.record import CommitRecording
from flowflare.review.sameness import StackChange, compare_recordings, restore_texts
from flowflare.review.sections import Section, SectionKind
from flowflare.review.variants import fold_variants
from flowflare.values.events import Plan

Raw = Mapping[str, Any]

_NOTHING: Final[Raw] = {"error": ""}
_UNREADABLE_ERRORS: Final = (ValueError, TypeError, KeyError, AttributeError)
_FOLDED: Final = ("added", "changed")
_UNREADABLE: Final = "its recording cannot be read"


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
    reviewer = _Reviewer((base, head), head.project or base.project, key)
    made: list[Section] = []
    for kind in dict.fromkeys(members[0].kind for members in groups.values()):
        alike = [members for members in groups.values() if members[0].kind == kind]
        made += _review_groups(reviewer, alike, is_folded=kind in _FOLDED)
    return sort_sections(merge_alike(made)), tuple(unchanged)


def _review_groups(
    reviewer: "_Reviewer", groups: Sequence[Sequence["_Member"]], *, is_folded: bool
) -> Iterable[Section]:
    """Review stacks in common words, and fold those that differ only in values."""
    members = {member.name: member for group in groups for member in group}
    if len(members) == 1 or not is_folded:
        return [reviewer.review(group, own_words=len(group) == 1) for group in groups]
    reviewed = [reviewer.review(group, own_words=False) for group in groups]
    folded = fold_variants(merge_alike(reviewed))
    return [
        section
        if len(section.stacks) > 1
        else reviewer.review([members[section.stacks[0]]], own_words=True)
        for section in folded
    ]


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

    @property
    def kind(self) -> SectionKind:
        """What happens to the stack."""
        if self.failure:
            return "not-recorded"
        if self.error:
            return "head-alone"
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


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


@dataclass(frozen=True)
class _Reviewer:
    """Reviews stacks that change in the same way.

    Attributes:
        key: the key that both were stamped with.
    """

    commits: tuple[CommitRecording, CommitRecording]
    project: str
    key: bytes

    def review(self, members: Sequence[_Member], *, own_words: bool) -> Section:
        """Review the first member for all, in its own words or in those of all stacks."""
        first, stacks = members[0], [member.name for member in members]
        if first.failure:
            return Section.unknown(stacks, first.failure)
        try:
            own = self._restore_own_words(first)
            before, after = own if own_words else (first.before, first.after)
            # A stack without a file keeps its resources: nothing runs for it.
            target = before if first.kind == "removed" else after
            reviewed = review(self._plan(first, before, target, own_words=own_words), diff=True)
        except _UNREADABLE_ERRORS:
            return Section.unknown(stacks, _UNREADABLE)
        if len({member.change.unseen for member in members}) > 1 and first.kind != "added":
            common = set.intersection(*(set(member.change.context) for member in members))
            reviewed = keep_common(reviewed, set(first.change.context) - common)
        if not own_words:
            reviewed = drop_digests_of(reviewed, _list_replaced(after, own[1]))
        is_new, doubts = self.commits[0].is_absent, _list_doubts(before, after)
        return Section.of(stacks, first.kind, reviewed, first.error, is_new=is_new, doubts=doubts)

    def _plan(
        self, member: _Member, before: Raw | None, after: Raw | None, *, own_words: bool
    ) -> Plan:
        stamps = Stamps(self.key)
        return compare(
            load(before, stamps, Texts()) if before else RecordedProgram(),
            load(after, stamps, Texts()) if after else RecordedProgram(),
            project=self.project,
            stack=member.name if own_words else "<stack>",
        )

    def _restore_own_words(self, member: _Member) -> tuple[Raw | None, Raw | None]:
        pairs = zip((member.before, member.after), self.commits, strict=True)
        before, after = (
            restore_texts({**commit.stacks[member.name], "words": {}}, commit.texts)
            if recording
            else None
            for recording, commit in pairs
        )
        return before, after


def _list_replaced(common: Raw | None, own: Raw | None) -> frozenset[str]:
    """Return the resources whose code contains the stack's own words and so has another digest."""
    if common is None or own is None:
        return frozenset()
    pairs = zip(common["resources"], own["resources"], strict=True)
    return frozenset(
        record["urn"].rpartition("::")[2]
        for record, mine in pairs
        if _read_code(record) != _read_code(mine)
    )


def _read_code(record: Raw) -> object:
    return record.get("inputs", {}).get("content")


#: The beginning of the key under which a recording has a submodule that could not be read.
SUBMODULE: Final = "submodule "


def _list_doubts(before: Raw | None, after: Raw | None) -> list[str]:
    """Describe what differs in a stack and is not in its recordings."""
    if before is None or after is None:
        return []
    old, new = (recording.get("not_read") or {} for recording in (before, after))
    return [
        _describe_doubt(key, old.get(key, ""), new.get(key, ""))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and (key == "environment" or key.startswith(SUBMODULE))
    ]


def _describe_doubt(key: str, old: str, new: str) -> str:
    if key.startswith(SUBMODULE):
        was, becomes = (f"`{sha[:12]}`" if sha else "another commit" for sha in (old, new))
        text = f"The submodule `{key.removeprefix(SUBMODULE)}` changes from {was} to {becomes}"
        return f"{text}. It is not in this clone, so its files are not compared."
    was, becomes = (f"`{name}`" if name else "nothing" for name in (old, new))
    text = f"`{key}` changes from {was} to {becomes}"
    return f"{text}. Its values are not read, so any configuration may change."


def _make_sort_key(section: Section) -> tuple[int, int, tuple[str, ...]]:
    return RISKS.index(section.risk), -len(section.stacks), section.stacks
