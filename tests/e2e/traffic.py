"""Call a client Worker and the service all the time, from outside the stack."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.support.waiting import PATIENCE


@dataclass
class Traffic:
    """Callers and the answers that they received.

    Attributes:
        client_url: a client, which calls the service with the key that is bound to it.
        service_url: the service.
        outside_key: the key of the caller outside the stack, which a test may replace.
        answers: how often each caller received each answer.
        failures: every unexpected answer.
    """

    client_url: str
    service_url: str
    outside_key: str = field(repr=False)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def call_client(self) -> None:
        with httpx.Client(timeout=PATIENCE) as http:
            while not self.stop.is_set():
                # The order does not exist: the right key gets 404, a wrong key 401.
                self._count("client", http, "GET", f"{self.client_url}/orders/none", 404)

    def call_service(self) -> None:
        with httpx.Client(timeout=PATIENCE) as http:
            while not self.stop.is_set():
                url = f"{self.service_url}/service/list-workflows"
                self._count("outside", http, "POST", url, 200, {"X-API-Key": self.outside_key})

    def _count(
        self,
        caller: str,
        http: httpx.Client,
        method: str,
        url: str,
        expected: int,
        headers: dict[str, str] | None = None,
    ) -> None:
        try:
            answer = http.request(method, url, headers=headers, json={"limit": 1})
            result = str(answer.status_code)
            if answer.status_code != expected:
                self.failures.append(f"{caller}: {result} {answer.text[:200]}")
        except httpx.HTTPError as error:
            result = type(error).__name__
            self.failures.append(f"{caller}: {error!r}")
        self.answers[f"{caller} {result}"] += 1
        time.sleep(0.03)


@contextmanager
def keep_calling(traffic: Traffic) -> Iterator[Traffic]:
    """Keep calling for the duration of the block."""
    threads = [
        threading.Thread(target=traffic.call_client),
        threading.Thread(target=traffic.call_service),
    ]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        traffic.stop.set()
        for thread in threads:
            thread.join()
