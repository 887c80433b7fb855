"""Decides what has to be done so that a pull request has one comment with the newest plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from flowflare.review.comment.marker import Shown, compose, read


@dataclass(frozen=True)
class Comment:
    """A comment that is there: its number, who wrote it, its text and its address."""

    id: int
    author: str
    body: str
    url: str = ""


@dataclass(frozen=True)
class Decision:
    """What to do.

    Attributes:
        kept: the comment that stays; None while there is none.
        body: what to write into it, or into a new one; None to leave everything as it is.
        removed: comments that concurrent runs made besides, to be deleted.
        shown: the plan that the comment shows in the end; None for no comment.
    """

    kept: Comment | None
    body: str | None
    removed: tuple[Comment, ...]
    shown: Shown | None

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.body is None and not self.removed


def decide(  # noqa: PLR0913 -- what a decision depends on, each by its name
    comments: Sequence[Comment],
    mine: Shown | None,
    *,
    name: str,
    current: str,
    notice: Callable[[str, str], str],
    may_create: bool = True,
    yields: bool = False,
) -> Decision:
    """Decides.

    The oldest comment stays, since links lead to it. It gets the newest plan of all that are
    known, whoever made it: one for the pull request's present head is newer than one for another
    commit, then the greater run is. A plan for another commit than the head gets a notice.

    Args:
        comments: those of the token's own identity.
        mine: this run's plan; None to look only whether the one that is there is stale.
        name: the name of the comment.
        current: the pull request's head now.
        notice: makes the notice, of the commit that is shown and the head.
        may_create: whether a comment is made where there is none.
        yields: whether a plan of the same run that is there is as good as this run's; true once
            this run has written.
    """
    pairs = [(comment, read(comment.body, name)) for comment in comments]
    own = sorted(
        ((comment, shown) for comment, shown in pairs if shown is not None),
        key=lambda pair: pair[0].id,
    )
    known = [shown for _, shown in own if shown.head]
    if mine is not None and (own or may_create):
        known.insert(len(known) if yields else 0, mine)
    if not known:
        return Decision(None, None, (), None)
    newest = max(known, key=lambda shown: (shown.head == current, shown.run))
    fresh = newest.head == current
    shown = replace(newest, notice="" if fresh else notice(newest.head, current))
    body = compose(shown)
    kept = own[0][0] if own else None
    same = kept is not None and kept.body.replace("\r\n", "\n").rstrip() == body.rstrip()
    removed = tuple(comment for comment, _ in own[1:])
    return Decision(kept, None if same else body, removed, shown)
