"""Callers that never pause long: through a client Worker, and from outside with a key."""

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
    """What callers ask, and what they were answered.

    Attributes:
        client_url: a client that asks the service with the key it carries.
        service_url: the service.
        outside_key: the key that a caller outside the stack holds; it may be given another.
        answers: how often which answer was got, by who asked.
        failures: every answer but the right one, with the time.
    """

    client_url: str
    service_url: str
    outside_key: str = field(repr=False)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def through_the_client(self) -> None:
        with httpx.Client(timeout=PATIENCE) as http:
            while not self.stop.is_set():
                # Nobody ordered it: a right key gets 404, a wrong one 401.
                self._count("client", http, "GET", f"{self.client_url}/orders/none", 404)

    def from_outside(self) -> None:
        with httpx.Client(timeout=PATIENCE) as http:
            while not self.stop.is_set():
                url = f"{self.service_url}/service/list-workflows"
                self._count("outside", http, "POST", url, 200, {"X-API-Key": self.outside_key})

    def _count(
        self,
        who: str,
        http: httpx.Client,
        method: str,
        url: str,
        right: int,
        headers: dict[str, str] | None = None,
    ) -> None:
        try:
            answer = http.request(method, url, headers=headers, json={"limit": 1})
            said = str(answer.status_code)
            if answer.status_code != right:
                self.failures.append(f"{who}: {said} {answer.text[:200]}")
        except httpx.HTTPError as error:
            said = type(error).__name__
            self.failures.append(f"{who}: {error!r}")
        self.answers[f"{who} {said}"] += 1
        time.sleep(0.03)


@contextmanager
def constant(traffic: Traffic) -> Iterator[Traffic]:
    """Keeps the traffic up for as long as the block."""
    threads = [
        threading.Thread(target=traffic.through_the_client),
        threading.Thread(target=traffic.from_outside),
    ]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        traffic.stop.set()
        for thread in threads:
            thread.join()
