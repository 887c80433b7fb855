"""The load generator works, and refuses to load other people's machines."""

import json

import pytest

from bench import compare, load
from tests.worker.worker_calls import KEY, Workers

pytestmark = pytest.mark.workerd

SMALL = ["--calls", "8", "--connections", "2", "--sockets", "1,3", "--updates", "4"]


def test_a_service_is_loaded(workers: Workers, capsys: pytest.CaptureFixture[str]) -> None:
    assert load.main(["--url", workers.urls["service"], "--key", KEY, *SMALL]) == 0

    figures = json.loads(capsys.readouterr().out)
    for kind in ("starts", "step_updates", "run_updates", "gets", "lists"):
        assert figures[kind]["calls"] == 8
        assert figures[kind]["per_second"] > 0
    assert [told["sockets_told_everything"] for told in figures["sockets"]] == [1, 3]


def test_failures_are_reported_and_not_counted_as_speed(
    workers: Workers, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load.main(["--url", workers.urls["service"], "--key", "wrong", *SMALL]) == 0

    figures = json.loads(capsys.readouterr().out)
    assert figures["starts"]["statuses"] == {"401": 8}
    assert "per_second" not in figures["starts"]


@pytest.mark.parametrize("url", ["https://example.com", "http://10.0.0.1:80", "http://127.0.0.1.x"])
def test_other_machines_are_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load.main(["--url", url, "--key", KEY]) == 2
    assert "--allow-remote" in capsys.readouterr().out


@pytest.mark.long
def test_two_services_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    other = [
        "--other",
        str(compare.OURS.bundle),
        "--other-migrations",
        str(compare.OURS.migrations),
    ]

    assert compare.main([*other, *SMALL, "--rounds", "1", "--lists", "30,60"]) == 0

    figures = json.loads(capsys.readouterr().out)
    assert figures["starts"]["ratio"] > 0
    assert figures["d1_per_call"]["ours"]["starts"]["round_trips"] == 1
    assert set(figures["lists"]["all"]) == {"30", "60"}
    assert [told["other"]["sockets_told_everything"] for told in figures["sockets"]] == [1, 3]
