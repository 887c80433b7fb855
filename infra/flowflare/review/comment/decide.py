"""Decide what to do so that a pull request has one comment with the newest plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from flowflare.review.comment.marker import ShownPlan, compose, read_marker


@dataclass(frozen=True)
class Comment:
    """A comment on the service: its number, author, text and address."""

    id: int
    author: str
    body: str
    url: str = ""


@dataclass(frozen=True)
class CommentPlan:
    """What to do.

    Attributes:
        kept: the comment that stays; None if there is none yet.
        body: the text to write into it, or into a new comment; None to change nothing.
        removed: extra comments from concurrent runs, to be deleted.
        shown: the plan that the comment shows afterwards; None without a comment.
    """

    kept: Comment | None
    body: str | None
    removed: tuple[Comment, ...]
    shown: ShownPlan | None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.body is None and not self.removed


def decide(  # noqa: PLR0913 -- what a decision depends on, each by its name
    comments: Sequence[Comment],
    mine: ShownPlan | None,
    *,
    name: str,
    current: str,
    notice: Callable[[str, str], str],
    may_create: bool = True,
    yields: bool = False,
) -> CommentPlan:
    """Decide what to do with the comments.

    The oldest comment stays, because links point to it. It gets the newest known plan, whichever
    run made it. A plan for the pull request's current head is newer than a plan for another commit;
    otherwise the higher run number is newer. A plan for another commit than the head gets a notice.

    Args:
        mine: this run's plan; None to only check whether the existing comment is stale.
        notice: makes the notice from the commit that is shown and the head.
        may_create: whether a missing comment may be created.
        yields: whether an existing plan of the same run is kept instead of this run's plan; true
            once this run has written.
    """
    pairs = [(comment, read_marker(comment.body, name)) for comment in comments]
    own = sorted(
        ((comment, shown) for comment, shown in pairs if shown is not None),
        key=lambda pair: pair[0].id,
    )
    known = [shown for _, shown in own if shown.head]
    if mine is not None and (own or may_create):
        known.insert(len(known) if yields else 0, mine)
    if not known:
        return CommentPlan(None, None, (), None)
    newest = max(known, key=lambda shown: (shown.head == current, shown.run))
    fresh = newest.head == current
    shown = replace(newest, notice="" if fresh else notice(newest.head, current))
    body = compose(shown)
    kept = own[0][0] if own else None
    same = kept is not None and kept.body.replace("\r\n", "\n").rstrip() == body.rstrip()
    removed = tuple(comment for comment, _ in own[1:])
    return CommentPlan(kept, None if same else body, removed, shown)
