"""Define a section of a report: one change, with the stacks that it affects."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from flowflare.kinds.assessment import Risk, worst
from flowflare.model.frozen import Frozen
from flowflare.review.entries import Review

SectionKind = Literal["changed", "added", "removed", "head-alone", "not-recorded"]


class StackValues(Frozen):
    """The values of one stack that differ from those of the section's other stacks."""

    stack: str = Field(description="The stack.")
    values: Mapping[str, str] = Field(
        description="Each value by the resource's name and the property, variable or text; empty "
        "if the stack lacks it."
    )


class Section(Frozen):
    """One change, with the stacks that it affects."""

    stacks: tuple[str, ...] = Field(
        description="The stacks, sorted; empty if a whole commit could not be recorded."
    )
    kind: SectionKind = Field(
        description="`added` and `removed` stacks have a file in only one of the commits. Removing "
        "a file deletes nothing, so the review of `removed` has what stays; `head-alone`: the base "
        "could not be recorded, see `error`, and the review shows the stack as new; "
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
    values: tuple[StackValues, ...] = Field(
        default=(),
        description="What differs between new stacks that are otherwise the same; `review` shows "
        "`[differs]` for it. Empty if the stacks are the same, or if there is one.",
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
