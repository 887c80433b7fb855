"""A service of its own for each test, and a run that comments there."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from flowflare.api.retries import Pace, Retries
from flowflare.review.comment import github, gitlab
from flowflare.review.comment.marker import Shown
from flowflare.review.comment.session import Session
from flowflare.review.comment.sticky import Outcome, Place, Wanted, put
from flowflare.review.comment.target import Target
from flowflare.review.comment.words import stale_notice
from tests.unit.review.comment.forge import REPOSITORY, TOKEN, A, Forge, serving

# Nothing here speaks TLS, and the usual certificates take long to load.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
def forge() -> Iterator[Forge]:
    with serving() as served:
        yield served


@dataclass
class Clock:
    """Time that passes only while somebody waits."""

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
    """Makes runs that comment on pull request 7."""

    forge: Forge
    clock: Clock
    kind: str = "github"

    def place(self, token: str = TOKEN) -> tuple[Session, Place]:
        service = github.SERVICE if self.kind == "github" else gitlab.SERVICE
        session = Session(service, self.forge.url, token, self.clock.pace, NO_TLS)
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
    ) -> Outcome:
        """One run, from its first look to its last."""
        text = f"Plan of run {number}." if content is None else content
        shown = Shown(name, head, (number, 1), text)
        target = Target("github", self.forge.url, REPOSITORY, 7, head, (number, 1))
        wanted = Wanted(name, shown, partial(stale_notice, target), may_create)
        return self.put(wanted, settle)

    def mark_stale(self, target: Target | None = None) -> Outcome:
        known = target or Target("github", self.forge.url, REPOSITORY, 7)
        return self.put(Wanted("plan", None, partial(stale_notice, known)), 1.0)

    def put(self, wanted: Wanted, settle: float) -> Outcome:
        session, place = self.place()
        try:
            return put(place, wanted, self.clock.pace, settle=settle)
        finally:
            session.close()


@pytest.fixture
def runs(forge: Forge, clock: Clock) -> Runs:
    return Runs(forge, clock)


@pytest.fixture
def gitlab_runs(forge: Forge, clock: Clock) -> Runs:
    return Runs(forge, clock, "gitlab")
