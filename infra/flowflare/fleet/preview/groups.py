"""Puts the plans of many stacks together: equal changes are one section, the riskiest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowflare.fleet.workers.words import common_text, said
from flowflare.review.entries import Review
from flowflare.review.policy.findings import PolicyFinding as Found
from flowflare.review.report import PolicyFinding
from flowflare.review.sections import Section, merge_alike, sort_sections


@dataclass
class _Group:
    """Stacks whose reviews are the same but for their own words."""

    review: Mapping[str, Any]
    words: Mapping[str, str]
    stacks: list[str] = field(default_factory=list)

    def common(self) -> Review:
        """The review in common words."""
        raw = {**self.review, "outputs": {}}
        return Review.model_validate(said(raw, self.words))


class Groups:
    """Takes what `preview_task` returns, stack by stack, in any order."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._failed: dict[str, list[str]] = {}
        self._unchanged: list[str] = []
        self._found: dict[Found, list[str]] = {}

    def add(self, stack: str, value: Mapping[str, Any]) -> None:
        """Takes one stack's plan."""
        for raw in value["policy"]:
            found = Found.model_validate(raw)
            common = found.model_copy(
                update={"message": common_text(found.message, value["words"])}
            )
            self._found.setdefault(common, []).append(stack)
        if not value["changed"]:
            self._unchanged.append(stack)
            return
        group = self._groups.get(value["key"])
        if group is None:
            # Whoever was sent the review first is the first whose answer is taken.
            group = self._groups[value["key"]] = _Group(value["review"] or {}, value["words"])
        elif value["review"] is not None and not group.review:
            group.review, group.words = value["review"], value["words"]
        group.stacks.append(stack)

    def fail(self, stack: str, error: str) -> None:
        """Takes a stack that could not be planned."""
        self._failed.setdefault(error, []).append(stack)

    @property
    def seen(self) -> frozenset[str]:
        """All stacks that were taken."""
        groups = (group.stacks for group in self._groups.values())
        lists = (*groups, *self._failed.values(), self._unchanged)
        return frozenset(stack for one in lists for stack in one)

    @property
    def unchanged(self) -> tuple[str, ...]:
        """The stacks in which nothing would change, sorted."""
        return tuple(sorted(self._unchanged))

    def sections(self, *, diff: bool) -> tuple[Section, ...]:
        """The sections, riskiest first.

        Args:
            diff: whether the lines that differ in texts are kept.
        """
        # Workers answer in any order; groups are merged in the order of their stacks' names.
        groups = sorted(self._groups.values(), key=lambda group: min(group.stacks))
        own = {group.stacks[0]: group for group in groups if len(group.stacks) == 1}
        made = merge_alike(
            Section.of(sorted(group.stacks), "changed", group.common()) for group in groups
        )
        made = [
            Section.of(one.stacks, "changed", Review.model_validate(own[one.stacks[0]].review))
            if len(one.stacks) == 1
            else one
            for one in made
        ]
        made += [Section.unknown(sorted(stacks), error) for error, stacks in self._failed.items()]
        return sort_sections(made if diff else map(_without_differences, made))

    def policy(self) -> tuple[PolicyFinding, ...]:
        """What policies have found, the same in several stacks once, errors first."""
        order = sorted(self._found, key=lambda one: (not one.stops, one.rule, one.message))
        return tuple(
            PolicyFinding(
                rule=one.rule,
                severity="error" if one.stops else "warning",
                stacks=tuple(sorted(self._found[one])),
                resource=one.resource,
                message=f"{one.message} (accepted: {one.accepted})"
                if one.accepted
                else one.message,
                remedy="" if one.accepted else one.remedy,
            )
            for one in order
        )


def _without_differences(section: Section) -> Section:
    if section.review is None:
        return section
    entries: Iterable[Any] = (
        one.model_copy(update={"differences": ()}) if one.differences else one
        for one in section.review.entries
    )
    review = section.review.model_copy(update={"entries": tuple(entries)})
    return section.model_copy(update={"review": review})
