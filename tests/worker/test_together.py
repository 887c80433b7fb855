"""Requests that write at the same time share a D1 batch without affecting each other."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.waiting import wait_until
from tests.worker.worker_calls import KEY, Api, Probe

pytestmark = pytest.mark.workerd

INSERT = "INSERT INTO workflow (name) VALUES (?) RETURNING name"


def test_each_gets_its_own_rows_and_only_the_refused_one_is_refused(
    probe: Probe, fresh: str
) -> None:
    def write(number: int) -> dict:
        names = [f"{fresh}-{number}-a", f"{fresh}-{number}-b"]
        if number % 7 == 3:
            names[1] = names[0]  # The second row breaks the unique index.
        statements = [{"sql": INSERT, "values": [name]} for name in names]
        return probe.call("together", statements=statements)

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(write, range(150)))

    for number, answer in enumerate(answers):
        if number % 7 == 3:
            assert "UNIQUE constraint failed" in answer["error"]
        else:
            names = [[{"name": f"{fresh}-{number}-{letter}"}] for letter in "ab"]
            assert answer["rows"] == names
    stored = probe.sql("SELECT count(*) AS n FROM workflow WHERE name LIKE ?", f"{fresh}-%")
    assert stored == [{"n": 2 * sum(number % 7 != 3 for number in range(150))}]
    assert max(answer.get("sent", 0) for answer in answers) > 2, "none were written together"


def test_long_texts_are_written_alone(probe: Probe, fresh: str) -> None:
    def write(number: int) -> dict:
        name = f"{fresh}-{number}-" + "x" * 33_000
        return probe.call("together", statements=[{"sql": INSERT, "values": [name]}])

    with ThreadPoolExecutor(10) as pool:
        assert [answer["sent"] for answer in pool.map(write, range(20))] == [1] * 20


def test_requests_do_not_wait_for_a_batch_that_hangs(probe: Probe, fresh: str) -> None:
    def write(number: int, **how: object) -> list[Any]:
        statements = [{"sql": INSERT, "values": [f"{fresh}-{number}"]}]
        return probe.call("together", statements=statements, milliseconds=1, **how)["rows"]

    before = probe.call("batches")["batches"]
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(write, 0, held=fresh)
        wait_until(lambda: probe.call("batches")["batches"] > before)
        others = list(pool.map(write, range(1, 6)))
        assert not first.done()
        probe.call("release", held=fresh)

    rows = [first.result(), *others]
    assert rows == [[[{"name": f"{fresh}-{number}"}]] for number in range(6)]


def left_while_writing(probe: Probe, name: str, end: str) -> None:
    """Send a request that ends while its batch is being sent, and wait until it has ended."""
    url = urlsplit(str(probe.client.base_url))
    statements = [{"sql": INSERT, "values": [name]}]
    body = json.dumps({"statements": statements, "end": end, "milliseconds": 60_000})
    head = f"POST /together HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    before = probe.call("batches")["batches"]
    with socket.create_connection((url.hostname, url.port)) as line:
        line.sendall(head.encode())
        wait_until(lambda: probe.call("batches")["batches"] > before)
        if end == "abort":
            assert b" 500 " in line.recv(100)


def took_alone(probe: Probe, name: str) -> float:
    """Return the seconds that one write takes without other writes."""
    began = time.monotonic()
    statements = [{"sql": INSERT, "values": [name]}]
    answer = probe.call("together", statements=statements, milliseconds=0)
    assert answer["rows"] == [[{"name": name}]]
    return time.monotonic() - began


@pytest.mark.parametrize("end", ["cancel", "abort"])
def test_a_request_that_dies_while_it_writes_slows_no_later_request(
    probe: Probe, fresh: str, end: str
) -> None:
    before = [took_alone(probe, f"{fresh}-before-{number}") for number in range(9)]

    left_while_writing(probe, f"{fresh}-lost", end)
    after = [took_alone(probe, f"{fresh}-after-{number}") for number in range(9)]

    # A write that waits for the lost batch takes 2 s more than others, however slow the machine is.
    assert min(after) < min(before) + 1


def test_writes_that_a_dying_request_took_along_are_made_all_the_same(
    probe: Probe, fresh: str
) -> None:
    def write(number: int) -> dict[str, Any]:
        statements = [{"sql": INSERT, "values": [f"{fresh}-{number}"]}]
        call = {"statements": statements, "end": "abort" if number % 5 == 2 else "answer"}
        answer = probe.client.post("/together", json=call)
        return answer.json() if answer.status_code == 200 else {"sent": 0}

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(write, range(100)))

    kept = {number: answers[number] for number in range(100) if number % 5 != 2}
    for number, answer in kept.items():
        assert answer.get("rows") == [[{"name": f"{fresh}-{number}"}]], answer
    assert max(answer["sent"] for answer in kept.values()) > 1, "none were written together"


def test_callers_that_hang_up_delay_no_other(service: Api, fresh: str) -> None:
    url = urlsplit(str(service.client.base_url))

    def hang_up(number: int) -> None:
        body = json.dumps({"workflowType": fresh, "ref_id": f"lost-{number}"})
        head = f"POST /service/start-workflow HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n"
        rest = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        with socket.create_connection((url.hostname, url.port)) as line:
            line.sendall((head + rest).encode())

    def start(number: int) -> bool:
        if number % 2:
            hang_up(number)
            return False
        answer = service.start(fresh, ref_id=f"kept-{number}")
        return service.run(answer["runId"])["ref_id"] == f"kept-{number}"

    with ThreadPoolExecutor(16) as pool:
        kept = list(pool.map(start, range(120)))

    assert kept.count(True) == 60
