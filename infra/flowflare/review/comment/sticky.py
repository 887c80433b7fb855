"""Keep the single comment: read, decide, write, and read again until it is as it should be.

Neither GitHub nor GitLab supports conditional writes. So nothing is written twice without reading
in between, which makes lost responses harmless. Every run also reads again a moment after it wrote:
if two runs wrote at the same time, each repairs what the other undid.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from flowflare.api.retries import Pace
from flowflare.errors import CommentError
from flowflare.review.comment.decide import Comment, CommentPlan, decide
from flowflare.review.comment.marker import ShownPlan
from flowflare.review.comment.session import NotFound, Tries, TryAgain

_ROUNDS: Final = 12
#: Seconds to wait before a run checks what it wrote.
SETTLE: Final = 1.0

CommentAction = Literal["created", "updated", "unchanged", "left", "none"]


class PullRequest(Protocol):
    """A pull request with its comments."""

    def read_author(self) -> str:
        """Return the user that the token's comments are by."""

    def read_head(self) -> str:
        """Return the full hash of the pull request's current head."""

    def list_comments(self) -> Iterator[Comment]:
        """List the pull request's comments."""

    def create(self, body: str) -> Comment:
        """Create a comment."""

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""

    def delete(self, comment: Comment) -> None:
        """Delete a comment."""


@dataclass(frozen=True)
class WantedComment:
    """What a run wants the comment to show.

    Attributes:
        plan: the run's plan; None to only mark an existing comment if it is stale.
        notice: makes the notice of a stale plan from the commit that is shown and the head.
        may_create: whether a missing comment may be created.
    """

    name: str
    plan: ShownPlan | None
    notice: Callable[[str, str], str]
    may_create: bool = True


@dataclass(frozen=True)
class CommentOutcome:
    """The outcome of a run.

    Attributes:
        action: `unchanged`: the comment already shows the plan; `left`: it shows a newer plan than
            this run's; `none`: there is no comment, and none was wanted.
        comment: the comment; None if there is none.
        removed: the numbers of the extra comments that were deleted.
        shown: the plan that the comment shows.
    """

    action: CommentAction
    comment: Comment | None
    removed: tuple[int, ...]
    shown: ShownPlan | None


def decide_next(
    pull_request: PullRequest, wanted: WantedComment, author: str, *, yields: bool = False
) -> CommentPlan:
    """Read the comments and decide, without writing."""
    current = pull_request.read_head()
    return decide(
        [comment for comment in pull_request.list_comments() if comment.author == author],
        wanted.plan,
        name=wanted.name,
        current=current,
        notice=wanted.notice,
        may_create=wanted.may_create and wanted.plan is not None,
        yields=yields,
    )


def update_comment(
    pull_request: PullRequest, wanted: WantedComment, pace: Pace, *, settle: float = SETTLE
) -> CommentOutcome:
    """Bring the comment up to date.

    Args:
        wanted: what this run wants.
        pace: clock and retries.
        settle: seconds to wait before checking what was written.

    Raises:
        CommentError: the service refuses, or does not respond for too long.
    """
    author = pull_request.read_author()
    done: CommentAction | None = None
    removed: list[int] = []
    tries = Tries(pace)
    for _ in range(_ROUNDS):
        decision = decide_next(pull_request, wanted, author, yields=done is not None)
        if decision.is_settled:
            action = _name_action(decision, wanted, done)
            return CommentOutcome(action, decision.kept, tuple(removed), decision.shown)
        try:
            done = _write(pull_request, decision) or done
            removed += _delete_extra(pull_request, decision)
        except TryAgain as refusal:
            tries.wait(refusal)
        else:
            pace.sleep(settle)
    raise CommentError(
        "Other runs change the comment as fast as this run does",
        remedy="Run one job at a time for each pull request.",
    )


def predict(decision: CommentPlan, wanted: WantedComment) -> CommentOutcome:
    """Predict the outcome of `update_comment` without concurrent runs."""
    done: CommentAction | None = None
    if decision.body is not None:
        done = "updated" if decision.kept else "created"
    removed = tuple(comment.id for comment in decision.removed)
    action = _name_action(decision, wanted, done)
    return CommentOutcome(action, decision.kept, removed, decision.shown)


def _write(pull_request: PullRequest, decision: CommentPlan) -> CommentAction | None:
    if decision.body is None:
        return None
    if decision.kept is None:
        pull_request.create(decision.body)
        return "created"
    try:
        pull_request.update(decision.kept, decision.body)
    except NotFound:  # deleted in the meantime: the next round finds the current comments
        return None
    return "updated"


def _delete_extra(pull_request: PullRequest, decision: CommentPlan) -> Iterator[int]:
    for comment in decision.removed:
        try:
            pull_request.delete(comment)
        except NotFound:  # a concurrent run has deleted it too
            continue
        yield comment.id


def _name_action(
    decision: CommentPlan, wanted: WantedComment, done: CommentAction | None
) -> CommentAction:
    shown, plan = decision.shown, wanted.plan
    if shown is None:
        return "none"
    if plan is not None and (shown.head, shown.run) != (plan.head, plan.run):
        return "left"
    return done or "unchanged"
