"""trackStep never fails or repeats a step, and adds the retry to its errors."""

from datetime import datetime

import pytest

from tests.worker.worker_calls import Api, Probe

pytestmark = pytest.mark.workerd


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("object", '{"paid":true}'),
        ("nothing", "null"),
        ("text", '"hello"'),
        ("bigint", '{"total":"10"}'),
        ("circular", '{"name":"loop","self":"[Circular]"}'),
        ("huge", '{"__truncated":true,"bytes":307202}'),
        ("deep", '{"__unserializable":true}'),
        ("unreadable", '{"__unserializable":true}'),
    ],
)
def test_whatever_a_step_returns_is_recorded(
    service: Api, probe: Probe, fresh: str, step: str, state: str
) -> None:
    result = probe.call("step", step=step, run=fresh)

    stored = service.step_in(fresh, "Completed")
    assert result["calls"] == 1
    assert "retryCount" not in result
    assert (stored["status"], stored["state"]) == ("Completed", state)
    assert stored["retries"] == []


def test_an_error_is_recorded_annotated_and_rethrown(
    service: Api, probe: Probe, fresh: str
) -> None:
    config = {"maxRetries": 5, "baseDelay": 10_000, "backoffType": "exponential"}
    thrown = probe.call("step", step="failing", run=fresh, config=config)

    stored = service.step_in(fresh, "Retrying")
    assert (thrown["type"], thrown["message"]) == ("TypeError", "no luck")
    assert (thrown["retryCount"], thrown["retryDelay"]) == (1, 10_000)
    assert "nonRetryable" not in thrown
    assert stored["status"] == "Retrying"
    [retry] = stored["retries"]
    assert (retry["retry_count"], retry["last_error"]) == (1, "no luck")
    assert retry["retry_at"] == thrown["nextRetryAt"]
    delay = datetime.fromisoformat(retry["retry_at"]) - datetime.fromisoformat(retry["created_at"])
    assert 8 < delay.total_seconds() < 11


@pytest.mark.parametrize(
    ("backoff", "delays"), [("exponential", [100, 200, 400]), ("linear", [100, 200, 300])]
)
def test_attempts_continue_the_last_count(
    service: Api, probe: Probe, fresh: str, backoff: str, delays: list[int]
) -> None:
    config = {"maxRetries": 3, "baseDelay": 100, "backoffType": backoff}
    thrown = [probe.call("step", step="failing", run=fresh, config=config) for _ in range(4)]

    stored = service.step_in(fresh, "Failed")
    assert [error.get("retryDelay") for error in thrown] == [*delays, None]
    assert [error["retryCount"] for error in thrown] == [1, 2, 3, 3]
    assert [error.get("nonRetryable") for error in thrown] == [None, None, None, True]
    assert (stored["status"], stored["attempt"]) == ("Failed", 4)
    assert stored["completed_at"]
    assert [retry["retry_count"] for retry in stored["retries"]] == [1, 2, 3]


def test_a_step_that_succeeds_after_all_is_completed(
    service: Api, probe: Probe, fresh: str
) -> None:
    for step in ("failing", "failing", "object"):
        probe.call("step", step=step, run=fresh, config={"maxRetries": 1})

    stored = service.step_in(fresh, "Completed")
    assert (stored["status"], stored["attempt"]) == ("Completed", 3)


def test_a_replay_of_a_completed_step_changes_nothing(
    service: Api, probe: Probe, fresh: str
) -> None:
    probe.call("step", step="object", run=fresh)
    before = service.step_in(fresh, "Completed")

    probe.call("step", step="failing", run=fresh)

    assert service.step_in(fresh, "Completed") == before


def test_an_error_that_is_final_is_not_retried(service: Api, probe: Probe, fresh: str) -> None:
    thrown = probe.call("step", step="final", run=fresh)

    assert thrown["nonRetryable"] is True
    assert service.step_in(fresh, "Failed")["retries"] == []


def test_an_error_that_says_so_is_final(service: Api, probe: Probe, fresh: str) -> None:
    thrown = probe.call("step", step="refusing", run=fresh)

    assert (thrown["nonRetryable"], thrown["retryCount"]) == (True, 0)
    assert service.step_in(fresh, "Failed")["retries"] == []


def test_the_start_and_the_end_of_a_quick_step_are_one_request(probe: Probe, fresh: str) -> None:
    assert probe.call("requests", run=fresh) == {"requests": [["Running", "Completed"]]}


def test_a_completed_step_that_runs_again_is_named_once(probe: Probe, fresh: str) -> None:
    logged = probe.call("replays", run=fresh, name=f"{fresh}-again", times=3)

    [line] = logged["lines"]
    assert "call trackStep inside step.do, or use trackedStep" in line


@pytest.mark.parametrize(
    ("step", "message", "cause"),
    [("throwing null", "null", None), ("throwing text", "boom", "boom")],
)
def test_a_thrown_value_that_is_not_an_error_is_wrapped_in_one(
    service: Api, probe: Probe, fresh: str, step: str, message: str, cause: str | None
) -> None:
    thrown = probe.call("step", step=step, run=fresh)

    assert (thrown["message"], thrown["cause"], thrown["retryCount"]) == (message, cause, 1)
    assert service.step_in(fresh, "Retrying")["retries"][0]["last_error"] == message


def test_a_frozen_error_is_thrown_unchanged(service: Api, probe: Probe, fresh: str) -> None:
    thrown = probe.call("step", step="throwing frozen", run=fresh)

    assert (thrown["type"], thrown["message"]) == ("RangeError", "cold")
    assert "retryCount" not in thrown
    assert service.step_in(fresh, "Retrying")["status"] == "Retrying"


@pytest.mark.parametrize("config", [None, {}, {"baseDelay": "soon", "backoffType": "fast"}])
def test_a_missing_or_odd_configuration_fails_nothing(
    probe: Probe, fresh: str, config: object
) -> None:
    thrown = probe.call("step", step="failing", run=fresh, config=config)

    assert (thrown["message"], thrown["retryCount"]) == ("no luck", 1)


def test_what_makes_no_sense_in_a_configuration_is_named_once(probe: Probe, fresh: str) -> None:
    config = {"maxRetries": -1, "baseDelay": "soon", "backoffType": "fast", "retries": 5}
    logged = probe.call("replays", run=fresh, name=f"{fresh}-odd", times=2, config=config)

    odd = [line.split(": ", 2)[2] for line in logged["lines"] if "retryConfig" in line]
    assert odd == [
        "maxRetries must be a whole number of retries; 3 is used",
        "baseDelay must be a number of milliseconds; 1000 is used",
        "backoffType must be 'exponential', 'linear' or 'constant'; 'exponential' is used",
        "retries is unknown; use maxRetries, baseDelay, backoffType",
    ]


def test_a_delay_beyond_the_calendar_is_a_year(probe: Probe, fresh: str) -> None:
    thrown = probe.call("step", step="failing", run=fresh, config={"baseDelay": 1e300})

    assert thrown["retryDelay"] == 365 * 24 * 3600 * 1000


@pytest.mark.parametrize("bound", ["service-down", "nothing", "wrong-key"])
def test_a_step_runs_once_whether_it_is_tracked_or_not(
    probe: Probe, fresh: str, bound: str
) -> None:
    fine = probe.call("step", step="object", run=fresh, bound=bound)
    failing = probe.call("step", step="failing", run=fresh, bound=bound)

    assert fine == {"calls": 1, "type": "object"}
    assert (failing["calls"], failing["message"], failing["retryCount"]) == (1, "no luck", 1)


#: The texts that JavaScript makes of values that are not IDs of runs.
NO_IDS = ("", "7", "null", "undefined", "[object Object]", "x")


@pytest.mark.parametrize("run", [None, 7, "", {"instanceId": "x"}])
def test_without_an_id_the_step_runs_untracked(probe: Probe, run: object) -> None:
    assert probe.call("step", step="object", run=run) == {"calls": 1, "type": "object"}
    assert "retryCount" not in probe.call("step", step="failing", run=run)
    # Not a count of all rows: a late update of another test can add one at any moment.
    marks = ", ".join("?" * len(NO_IDS))
    written = f"SELECT * FROM workflow_steps WHERE workflow_run_id IN ({marks})"
    assert probe.sql(written, *NO_IDS) == []
