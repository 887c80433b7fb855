"""Combine the plans of many stacks: equal changes form one section, the riskiest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowflare.fleet.workers.words import replace_words, replace_words_in_text
from flowflare.review.entries import Review
from flowflare.review.grouping import merge_alike, sort_sections
from flowflare.review.policy.findings import PolicyFinding as Found
from flowflare.review.report import PolicyFinding
from flowflare.review.sections import Section


@dataclass
class _Group:
    """Stacks whose reviews differ only in text that depends on the stack, such as its name."""

    review: Mapping[str, Any]
    words: Mapping[str, str]
    stacks: list[str] = field(default_factory=list)

    def common_review(self) -> Review:
        """Return the review with placeholders for the stacks' own words."""
        raw = {**self.review, "outputs": {}}
        return Review.model_validate(replace_words(raw, self.words))


class Groups:
    """Group the results of `preview_task`, added stack by stack in any order."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._failed: dict[str, list[str]] = {}
        self._unchanged: list[str] = []
        self._found: dict[Found, list[str]] = {}

    def add(self, stack: str, value: Mapping[str, Any]) -> None:
        """Add one stack's plan."""
        for raw in value["policy"]:
            found = Found.model_validate(raw)
            common = found.model_copy(
                update={"message": replace_words_in_text(found.message, value["words"])}
            )
            self._found.setdefault(common, []).append(stack)
        if not value["changed"]:
            self._unchanged.append(stack)
            return
        group = self._groups.get(value["key"])
        if group is None:
            # A worker sends a review once per key; the first result of a key may lack the review.
            group = self._groups[value["key"]] = _Group(value["review"] or {}, value["words"])
        elif value["review"] is not None and not group.review:
            group.review, group.words = value["review"], value["words"]
        group.stacks.append(stack)

    def fail(self, stack: str, error: str) -> None:
        """Add a stack that could not be planned."""
        self._failed.setdefault(error, []).append(stack)

    @property
    def stacks(self) -> frozenset[str]:
        """All stacks that were added."""
        groups = (group.stacks for group in self._groups.values())
        lists = (*groups, *self._failed.values(), self._unchanged)
        return frozenset(stack for stacks in lists for stack in stacks)

    @property
    def unchanged_stacks(self) -> tuple[str, ...]:
        """The stacks without changes, sorted."""
        return tuple(sorted(self._unchanged))

    def sections(self, *, diff: bool) -> tuple[Section, ...]:
        """Return the sections, the riskiest first.

        Args:
            diff: whether to include the differing lines of strings.
        """
        # Workers finish in any order, so groups are merged in the order of their stacks' names.
        groups = sorted(self._groups.values(), key=lambda group: min(group.stacks))
        own = {group.stacks[0]: group for group in groups if len(group.stacks) == 1}
        made = merge_alike(
            Section.of(sorted(group.stacks), "changed", group.common_review()) for group in groups
        )
        made = [
            Section.of(
                section.stacks, "changed", Review.model_validate(own[section.stacks[0]].review)
            )
            if len(section.stacks) == 1
            else section
            for section in made
        ]
        made += [Section.unknown(sorted(stacks), error) for error, stacks in self._failed.items()]
        return sort_sections(made if diff else map(_remove_differences, made))

    def policy(self) -> tuple[PolicyFinding, ...]:
        """Return the findings of policies, errors first; equal findings of stacks are one."""
        order = sorted(self._found, key=lambda found: (not found.stops, found.rule, found.message))
        return tuple(
            PolicyFinding(
                rule=found.rule,
                severity="error" if found.stops else "warning",
                stacks=tuple(sorted(self._found[found])),
                resource=found.resource,
                message=f"{found.message} (accepted: {found.accepted})"
                if found.accepted
                else found.message,
                remedy="" if found.accepted else found.remedy,
            )
            for found in order
        )


def _remove_differences(section: Section) -> Section:
    if section.review is None:
        return section
    entries: Iterable[Any] = (
        entry.model_copy(update={"differences": ()}) if entry.differences else entry
        for entry in section.review.entries
    )
    review = section.review.model_copy(update={"entries": tuple(entries)})
    return section.model_copy(update={"review": review})
