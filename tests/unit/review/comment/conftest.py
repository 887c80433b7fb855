"""Provide a forge for each test, and runs that comment there."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from flowflare.api.retries import Pace, Retries
from flowflare.review.comment import github, gitlab
from flowflare.review.comment.marker import ShownPlan
from flowflare.review.comment.session import ServiceSession
from flowflare.review.comment.sticky import (
    CommentOutcome,
    PullRequest,
    WantedComment,
    update_comment,
)
from flowflare.review.comment.target import CommentTarget
from flowflare.review.comment.words import write_stale_notice
from tests.unit.review.comment.forge import REPOSITORY, TOKEN, A, Forge, serving

# Nothing here uses TLS, and the usual certificates take long to load.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
def forge() -> Iterator[Forge]:
    with serving() as served:
        yield served


@dataclass
class Clock:
    """A clock that advances only while a caller waits."""

    now: float = 1_000_000.0
    waits: list[float] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        self.during()

    @property
    def pace(self) -> Pace:
        retries = Retries(attempts=4, patience=120.0, jitter=lambda: 0.0)
        return Pace(clock=lambda: self.now, now=lambda: self.now, sleep=self.sleep, retries=retries)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Runs:
    """Runs that comment on pull request 7."""

    forge: Forge
    clock: Clock
    kind: str = "github"

    def place(self, token: str = TOKEN) -> tuple[ServiceSession, PullRequest]:
        service = github.SERVICE if self.kind == "github" else gitlab.SERVICE
        session = ServiceSession(service, self.forge.url, token, self.clock.pace, NO_TLS)
        if self.kind == "github":
            return session, github.GitHub(session, REPOSITORY, 7)
        return session, gitlab.GitLab(session, REPOSITORY, 7)

    def run(
        self,
        number: int,
        head: str = A,
        *,
        content: str | None = None,
        name: str = "plan",
        may_create: bool = True,
        settle: float = 1.0,
    ) -> CommentOutcome:
        """Run once, from the first read to the last."""
        text = f"Plan of run {number}." if content is None else content
        shown = ShownPlan(name, head, (number, 1), text)
        target = CommentTarget("github", self.forge.url, REPOSITORY, 7, head, (number, 1))
        wanted = WantedComment(name, shown, partial(write_stale_notice, target), may_create)
        return self.update_comment(wanted, settle)

    def mark_stale(self, target: CommentTarget | None = None) -> CommentOutcome:
        known = target or CommentTarget("github", self.forge.url, REPOSITORY, 7)
        return self.update_comment(
            WantedComment("plan", None, partial(write_stale_notice, known)), 1.0
        )

    def update_comment(self, wanted: WantedComment, settle: float) -> CommentOutcome:
        session, place = self.place()
        try:
            return update_comment(place, wanted, self.clock.pace, settle=settle)
        finally:
            session.close()


@pytest.fixture
def runs(forge: Forge, clock: Clock) -> Runs:
    return Runs(forge, clock)


@pytest.fixture
def gitlab_runs(forge: Forge, clock: Clock) -> Runs:
    return Runs(forge, clock, "gitlab")
