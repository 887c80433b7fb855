"""Errors, rate limits and lost responses of the service, and how runs handle them."""

import pytest

from flowflare.errors import CommentError
from flowflare.review.comment import github
from flowflare.review.comment.session import ServiceSession, TryAgain, read_limit_wait
from tests.unit.review.comment.conftest import Clock, Runs
from tests.unit.review.comment.forge import REPOSITORY, TOKEN, Fault, Forge

SECONDARY = "You have exceeded a secondary rate limit."


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        (Fault("GET", 429, {"Retry-After": "7"}), 7),
        (Fault("GET", 403, {"Retry-After": "9"}, SECONDARY), 9),
        (Fault("GET", 403, {}, SECONDARY), 60),
        (
            Fault("GET", 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000040"}),
            41,
        ),
        (Fault("GET", 502), 0.5),
        (Fault("GET"), 0.5),
    ],
    ids=["429", "403", "secondary", "reset", "502", "cut"],
)
def test_a_run_waits_as_long_as_the_service_asks_and_then_continues(
    runs: Runs, forge: Forge, clock: Clock, fault: Fault, waited: float
) -> None:
    forge.faults.append(fault)
    assert runs.run(1).action == "created"
    assert clock.waits[0] == waited


def test_after_a_write_limit_the_run_waits_and_reads_again(
    runs: Runs, forge: Forge, clock: Clock
) -> None:
    runs.run(1)
    forge.faults.append(Fault("PATCH", 429, {"Retry-After": "20"}))
    clock.waits.clear()
    assert runs.run(2).action == "updated"
    assert clock.waits == [20, 1]


def test_a_limit_of_an_hour_fails_instead_of_waiting(
    runs: Runs, forge: Forge, clock: Clock
) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1003600"}
    forge.faults.append(Fault("GET", 403, headers, "API rate limit exceeded"))
    with pytest.raises(TryAgain, match=r"it asks to wait 3601 s"):
        runs.run(1)
    assert clock.waits == []


def test_an_outage_ends_after_a_bounded_number_of_attempts(
    runs: Runs, forge: Forge, clock: Clock
) -> None:
    forge.faults += [Fault("GET", 503, {}, "Down")] * 9
    with pytest.raises(CommentError, match=r"GitHub: HTTP 503: Down \(tried 4 times in 4 s\)"):
        runs.run(1)
    assert forge.count("GET") == 4


def test_a_missing_permission_is_named(runs: Runs, forge: Forge) -> None:
    forge.may_write = False
    with pytest.raises(CommentError) as caught:
        runs.run(1)
    assert "Resource not accessible by integration" in caught.value.message
    assert "`pull-requests: write`" in str(caught.value.remedy)


def test_a_missing_gitlab_permission_is_named(gitlab_runs: Runs, forge: Forge) -> None:
    forge.may_write = False
    with pytest.raises(CommentError, match=r"GITLAB_TOKEN needs the scope `api`"):
        gitlab_runs.run(1)


def test_an_invalid_token_is_reported_but_not_printed(forge: Forge, clock: Clock) -> None:
    session = ServiceSession(github.SERVICE, forge.url, "ghp_expired", clock.pace)
    with pytest.raises(CommentError) as caught:
        github.GitHub(session, REPOSITORY, 7).read_author()
    session.close()
    assert "Bad credentials" in str(caught.value)
    assert "ghp_expired" not in str(caught.value)


def test_a_locked_conversation_is_reported(runs: Runs, forge: Forge) -> None:
    runs.run(1)
    locked = "Unable to create comment because issue is locked."
    forge.faults.append(Fault("PATCH", 403, {}, locked))
    with pytest.raises(CommentError, match="conversation is locked: unlock it"):
        runs.run(2)


def test_a_missing_pull_request_is_reported(runs: Runs, forge: Forge) -> None:
    forge.is_missing = True
    with pytest.raises(CommentError, match=r"GitHub does not have pull request 7 in acme/shop"):
        runs.run(1)


def test_a_redirect_of_a_moved_repository_is_reported_and_not_followed(
    runs: Runs, forge: Forge
) -> None:
    forge.faults.append(Fault("GET", 301, {"Location": "http://127.0.0.2/"}, "Moved Permanently"))
    with pytest.raises(CommentError, match="It has moved"):
        runs.run(1)


def test_a_next_page_on_another_host_does_not_get_the_token(runs: Runs, forge: Forge) -> None:
    forge.page = 1
    forge.say("ann", "One.")
    forge.say("ann", "Two.")
    forge.url = forge.url.replace("127.0.0.1", "127.0.0.2")
    session = ServiceSession(
        github.SERVICE, forge.url.replace("127.0.0.2", "127.0.0.1"), TOKEN, runs.clock.pace
    )
    with pytest.raises(CommentError, match=r"refers to 127\.0\.0\.2, and the token is not sent"):
        list(github.GitHub(session, REPOSITORY, 7).list_comments())
    session.close()


def test_the_message_of_the_service_stays_on_one_line(runs: Runs, forge: Forge) -> None:
    forge.faults.append(Fault("GET", 400, {}, "Bad\n::warning::" + "x" * 1000))
    with pytest.raises(CommentError) as caught:
        runs.run(1)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


def test_an_ordinary_403_is_not_a_rate_limit() -> None:
    assert read_limit_wait(403, {}, "Resource not accessible by integration", 0) is None
    assert read_limit_wait(404, {"retry-after": "5"}, "", 0) is None


@pytest.mark.parametrize("base", ["file:///etc", "api.github.com", "http://a:b@host/", "http://["])
def test_an_invalid_address_is_refused(base: str, clock: Clock) -> None:
    with pytest.raises(CommentError, match="not the address of an API"):
        ServiceSession(github.SERVICE, base, TOKEN, clock.pace)
