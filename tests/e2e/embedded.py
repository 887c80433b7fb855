"""Control an embedded Cloudflare that many tests share: its API, request log and faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from flowflare.emulator.process import Running
from flowflare.kinds.registry import list_own
from flowflare.kinds.spelling import snake
from flowflare.kinds.store_verbs import load_store
from tests.support.waiting import PATIENCE

READS = frozenset({"GET", "HEAD"})


class Cloudflare:
    """A running emulator."""

    def __init__(self, running: Running) -> None:
        self.port = port = running.port
        self.pid = running.pid
        self.data = running.data
        self.base_url = running.base_url
        self.token = running.token
        headers = {"Authorization": f"Bearer {self.token}"}
        control = f"http://127.0.0.1:{port}/emulator"
        self._control = httpx.Client(base_url=control, headers=headers, timeout=PATIENCE)
        self._api = httpx.Client(base_url=self.base_url, headers=headers, timeout=PATIENCE)
        # Many tests share the emulator and this token.
        self.limit(None)

    def create_token(self) -> str:
        """Create a token with its own rate limit."""
        answer = self._control.post("/tokens").raise_for_status().json()
        return str(answer["token"])

    def limit(self, calls: int | None, **rule: float) -> None:
        """Set how many calls the token has; None removes the limit."""
        self._control.put("/rate-limit", json={"calls": calls, **rule}).raise_for_status()

    def close(self) -> None:
        self._control.close()
        self._api.close()

    def open_account(self, identity: str) -> "Account":
        return Account(self._control, self._api, identity)


class Account:
    """One account: its resources, the requests that it received, its faults."""

    def __init__(self, control: httpx.Client, api: httpx.Client, identity: str) -> None:
        self._control = control
        self._api = api
        self.identity = identity

    def get(self, path: str) -> Any:
        return self._api.get(f"/accounts/{self.identity}{path}").raise_for_status().json()["result"]

    def post(self, path: str, body: Any) -> Any:
        answer = self._api.post(f"/accounts/{self.identity}{path}", json=body)
        return answer.raise_for_status().json()["result"]

    def put(self, path: str, body: Any) -> Any:
        answer = self._api.put(f"/accounts/{self.identity}{path}", json=body)
        return answer.raise_for_status().json()["result"]

    def patch(self, path: str, body: Any) -> Any:
        answer = self._api.patch(f"/accounts/{self.identity}{path}", json=body)
        return answer.raise_for_status().json()["result"]

    def list_databases(self) -> list[str]:
        return sorted(database["name"] for database in self.get("/d1/database?per_page=100"))

    def list_scripts(self) -> list[str]:
        return sorted(script["id"] for script in self.get("/workers/scripts"))

    def list_workflows(self) -> list[str]:
        return sorted(workflow["name"] for workflow in self.get("/workflows"))

    def list_stores(self) -> list[str]:
        """List the names of the stores of each kind that a client's binding can create."""
        names = []
        for store in map(load_store, list_own().values()):
            listed = self.get(store.listed_at)
            rows = listed["buckets"] if isinstance(listed, dict) else listed
            names += [row[snake(store.title)] for row in rows]
        return sorted(names)

    def is_empty(self) -> bool:
        return not (self.list_databases() or self.list_scripts() or self.list_workflows())

    def list_requests(self, since: int = 0) -> list[dict[str, Any]]:
        query = {"account": self.identity, "since": str(since)}
        answer = self._control.get("/requests", params=query).raise_for_status()
        return [request for request in answer.json() if request["path"].startswith("/accounts")]

    def find_last_request(self) -> int:
        return max((request["sequence"] for request in self.list_requests()), default=0)

    def list_writes(self, since: int = 0) -> list[str]:
        return [
            f"{request['method']} {request['path'].removeprefix(f'/accounts/{self.identity}')}"
            for request in self.list_requests(since)
            if request["method"] not in READS
        ]

    def settle(self) -> None:
        self._control.post("/settle", params={"account": self.identity}).raise_for_status()

    def set_time(self, milliseconds: int) -> list[dict[str, Any]]:
        """Set the time that the account's cron triggers follow; return those that ran."""
        body = {"account": self.identity, "time": milliseconds}
        ran: list[dict[str, Any]] = (
            self._control.put("/clock", json=body).raise_for_status().json()["ran"]
        )
        return ran

    @contextmanager
    def inject_fault(self, action: dict[str, Any], **rule: Any) -> Iterator["Fault"]:
        """Inject a fault rule for the duration of the block."""
        body = {"action": action, "account": self.identity} | rule
        answer = self._control.post("/faults", json=body).raise_for_status().json()
        try:
            yield Fault(self._control, answer["id"])
        finally:
            self._control.delete(f"/faults/{answer['id']}")


class Fault:
    """A fault rule that is active."""

    def __init__(self, control: httpx.Client, number: int) -> None:
        self._control = control
        self._number = number

    def count_fired(self) -> int:
        rules = self._control.get("/faults").raise_for_status().json()
        return next(int(rule["fired"]) for rule in rules if rule["id"] == self._number)

    def release(self) -> None:
        self._control.post(f"/faults/{self._number}/release").raise_for_status()
