"""Keeps the one comment: looks, decides, writes, and looks again until it is as it should be.

Neither GitHub nor GitLab can be asked to write only if nobody else has written. So nothing is ever
sent twice without looking in between, which makes lost answers harmless, and every run looks again
a moment after it wrote: of two that wrote at the same time, each puts right what the other undid.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from flowflare.api.retries import Pace
from flowflare.errors import CommentError
from flowflare.review.comment.decide import Comment, Decision, decide
from flowflare.review.comment.marker import Shown
from flowflare.review.comment.session import NotThere, Tries, TryAgain

_ROUNDS: Final = 12
#: Seconds after which a run looks at what it wrote.
SETTLE: Final = 1.0

Action = Literal["created", "updated", "unchanged", "left", "none"]


class Place(Protocol):
    """A pull request as a place for comments."""

    def author(self) -> str:
        """Who the token's comments are by."""

    def head(self) -> str:
        """The full hash of the pull request's head now."""

    def comments(self) -> Iterator[Comment]:
        """All of its comments."""

    def create(self, body: str) -> Comment:
        """Makes a comment."""

    def update(self, comment: Comment, body: str) -> Comment:
        """Gives a comment another text."""

    def delete(self, comment: Comment) -> None:
        """Deletes a comment."""


@dataclass(frozen=True)
class Wanted:
    """What a run wants of the comment.

    Attributes:
        name: the name of the comment.
        plan: its plan; None to mark the one that is there, if it is stale.
        notice: makes the notice of a stale plan, of the commit that is shown and the head.
        may_create: whether a comment is made where there is none.
    """

    name: str
    plan: Shown | None
    notice: Callable[[str, str], str]
    may_create: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        action: `unchanged`: it said so already; `left`: it shows a newer plan than this run's;
            `none`: there is no comment, and none was wanted.
        comment: the one comment; None if there is none.
        removed: numbers of the comments that were deleted, since they were too many.
        shown: the plan that it shows.
    """

    action: Action
    comment: Comment | None
    removed: tuple[int, ...]
    shown: Shown | None


def look(place: Place, wanted: Wanted, author: str, *, yields: bool = False) -> Decision:
    """Looks at what is there, and decides; writes nothing."""
    current = place.head()
    return decide(
        [comment for comment in place.comments() if comment.author == author],
        wanted.plan,
        name=wanted.name,
        current=current,
        notice=wanted.notice,
        may_create=wanted.may_create and wanted.plan is not None,
        yields=yields,
    )


def put(place: Place, wanted: Wanted, pace: Pace, *, settle: float = SETTLE) -> Outcome:
    """Brings the comment to what it should be.

    Args:
        place: the pull request.
        wanted: what this run wants.
        pace: clock and retries.
        settle: seconds after which it looks at what it wrote.

    Raises:
        CommentError: the service refuses, or gives no answer for too long.
    """
    author = place.author()
    done: Action | None = None
    removed: list[int] = []
    tries = Tries(pace)
    for _ in range(_ROUNDS):
        decision = look(place, wanted, author, yields=done is not None)
        if decision.settled:
            action = _action(decision, wanted, done)
            return Outcome(action, decision.kept, tuple(removed), decision.shown)
        try:
            done = _written(place, decision) or done
            removed += _cleared(place, decision)
        except TryAgain as refusal:
            tries.wait(refusal)
        else:
            pace.sleep(settle)
    raise CommentError(
        "Others change the comment as fast as this run does", remedy="Run one at a time."
    )


def planned(decision: Decision, wanted: Wanted) -> Outcome:
    """What `put` would come to, had it nobody beside it."""
    done: Action | None = None
    if decision.body is not None:
        done = "updated" if decision.kept else "created"
    removed = tuple(comment.id for comment in decision.removed)
    action = _action(decision, wanted, done)
    return Outcome(action, decision.kept, removed, decision.shown)


def _written(place: Place, decision: Decision) -> Action | None:
    if decision.body is None:
        return None
    if decision.kept is None:
        place.create(decision.body)
        return "created"
    try:
        place.update(decision.kept, decision.body)
    except NotThere:  # somebody has deleted it meanwhile: the next look finds what there is
        return None
    return "updated"


def _cleared(place: Place, decision: Decision) -> Iterator[int]:
    for comment in decision.removed:
        try:
            place.delete(comment)
        except NotThere:  # the other run has deleted it, too
            continue
        yield comment.id


def _action(decision: Decision, wanted: Wanted, done: Action | None) -> Action:
    shown, plan = decision.shown, wanted.plan
    if shown is None:
        return "none"
    if plan is not None and (shown.head, shown.run) != (plan.head, plan.run):
        return "left"
    return done or "unchanged"
