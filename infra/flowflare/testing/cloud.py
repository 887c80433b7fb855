"""One account of the embedded Cloudflare, as a test uses it."""

import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from flowflare.errors import EmulatorError

if TYPE_CHECKING:
    import cloudflare
    import httpx

Action = Literal["answer", "cut", "delay", "hold", "lose", "silence"]
# A parameter of a path, as Cloudflare's API reference writes it.
_PARAMETER = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class Request:
    """One call of the API that the account has answered."""

    method: str
    path: str
    """The path below `/client/v4`."""
    query: str
    status: int | None
    """None if the connection was cut."""
    codes: tuple[int, ...]
    """Cloudflare's error codes in the answer."""
    known: bool
    """False for an operation that is not emulated."""
    milliseconds: float


@dataclass(frozen=True)
class Fault:
    """A rule that makes calls fail, until it is removed, its `with` block or the test ends."""

    cloud: "Cloudflare" = field(repr=False)
    id: int

    @property
    def count(self) -> int:
        """How many calls the rule has applied to."""
        rules = self.cloud.control("GET", "/faults")
        return next((int(rule["fired"]) for rule in rules if rule["id"] == self.id), 0)

    def release(self) -> None:
        """Process the calls that the rule holds."""
        self.cloud.control("POST", f"/faults/{self.id}/release")

    def remove(self) -> None:
        """Remove the rule, and process the calls that it holds."""
        self.cloud.remove_fault(self.id)

    def __enter__(self) -> "Fault":
        """Return the rule, which is active already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the rule."""
        self.remove()


@dataclass(frozen=True)
class Worker:
    """A deployed Worker of the account."""

    cloud: "Cloudflare" = field(repr=False)
    name: str
    url: str
    """Its address, which stands for its workers.dev URL."""

    def fetch(self, path: str = "/", *, method: str = "GET", **options: Any) -> "httpx.Response":
        """Send the Worker a request at its workers.dev URL, and return its answer.

        Args:
            path: the path, with its query.
            method: the method.
            options: what `httpx.request` takes, such as `json`, `content` and `headers`.
        """
        return self.cloud.http.request(method, self.url + path, **options)

    def run_cron(self, cron: str | None = None) -> str:
        """Run the Worker's `scheduled` handler now, and return its outcome, `ok` or `exception`.

        Args:
            cron: one of its cron triggers; by default the first.
        """
        body = {"account": self.cloud.account_id, "script": self.name, "cron": cron}
        return str(self.cloud.control("POST", "/cron", json=body)["outcome"])


class Cloudflare:
    """An account of the embedded Cloudflare.

    Args:
        port: the port of the embedded Cloudflare.
        token: the token of its data folder.

    Attributes:
        account_id: the account's ID.
        api_token: a token of this account's own, so that Cloudflare's limit of 1,200 calls in five
            minutes counts this test alone.
        base_url: the address of the API, which ends in `/client/v4`.
    """

    def __init__(self, port: int, token: str) -> None:
        self._root = f"http://127.0.0.1:{port}"
        self._token = token
        self._faults: list[int] = []
        self._distant = False
        self.account_id = secrets.token_hex(16)
        self.base_url = f"{self._root}/client/v4"
        self.api_token = str(self.control("POST", "/tokens")["token"])

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which wrangler, the SDKs, Pulumi and Terraform use this account."""
        from flowflare.emulator.environment import make_variables

        return make_variables(self.base_url, self.api_token, self.account_id) | {
            "WRANGLER_SEND_METRICS": "false"
        }

    @property
    def requests(self) -> list[Request]:
        """The calls of this account so far, oldest first. Calls of zones have no account."""
        names = Request.__dataclass_fields__
        entries = self.control("GET", f"/requests?account={self.account_id}")
        return [
            Request(**{name: entry[name] for name in names} | {"codes": tuple(entry["codes"])})
            for entry in entries
        ]

    def client(self) -> "cloudflare.Cloudflare":
        """Return Cloudflare's official Python SDK, set up for this account's token."""
        import cloudflare

        return cloudflare.Cloudflare(api_token=self.api_token, base_url=self.base_url)

    def worker(self, name: str) -> Worker:
        """Return a deployed Worker.

        Raises:
            EmulatorError: there is no such Worker, or its workers.dev URL is disabled.
        """
        answer = self.control("GET", f"/workers?account={self.account_id}")
        workers = {worker["script"]: worker for worker in answer["workers"]}
        if name not in workers:
            deployed = ", ".join(sorted(workers)) or "none"
            raise EmulatorError(
                f"there is no Worker '{name}' in this account",
                remedy=f"Deployed Workers: {deployed}.",
            )
        if not workers[name]["enabled"]:
            raise EmulatorError(
                f"the workers.dev URL of the Worker '{name}' is disabled",
                remedy="Enable it (workers_dev in wrangler, cloudflare_workers_script_subdomain in "
                "Terraform), or call a route or custom domain: cloudflare.fetch(URL)",
            )
        return Worker(self, name, str(workers[name]["url"]))

    def fetch(self, url: str, *, method: str = "GET", **options: Any) -> "httpx.Response":
        """Send a request to a route or custom domain, such as `https://shop.example.com/cart`.

        Nothing leaves this machine: the embedded Cloudflare selects the Worker by the hostname.

        Args:
            url: the URL, whose scheme does not matter.
            method: the method.
            options: what `httpx.request` takes.
        """
        import httpx

        target = httpx.URL(url)
        headers = httpx.Headers(options.pop("headers", None))
        headers["Host"] = target.netloc.decode()
        address = self._root + target.raw_path.decode()
        return self.http.request(method, address, headers=headers, **options)

    def fault(
        self,
        action: Action = "answer",
        *,
        method: str | None = None,
        path: str | None = None,
        nth: int | None = None,
        times: int | None = None,
        **details: Any,
    ) -> Fault:
        """Make calls of the API fail, until the test ends.

        Args:
            action: `answer` with a status instead of processing the call, `cut` the connection
                before it, `delay` it, `hold` it until `release`, `lose` its answer after
                processing it, or stay silent (`silence`) until the client gives up.
            method: only calls with this method.
            path: only this path below `/client/v4`. `{...}` and `*` stand for anything, as in
                `/accounts/{account_id}/d1/database`. Without `/accounts/` at its start, the rule
                applies to calls of other tests too.
            nth: the first matching call that the rule applies to, counted from 1.
            times: how many calls it applies to. Without it: one call if `nth` is given, else all.
            details: for `answer`, `status` (500), `code`, `message`, `headers` and `retry`; for
                `delay`, `seconds`; for `silence`, `done`.

        Raises:
            EmulatorError: an argument is not valid.
        """
        if action == "answer":
            details = {"status": 500, **details}
        own = path is None or path.startswith("/accounts/")
        rule = {
            "action": {"kind": action, **details},
            "method": method,
            "path": path and _PARAMETER.sub("*", path),
            "account": self.account_id if own else None,
            "nth": nth,
            "times": times,
        }
        fault = Fault(self, int(self.control("POST", "/faults", json=rule)["id"]))
        self._faults.append(fault.id)
        return fault

    def remove_fault(self, number: int) -> None:
        """Remove a fault rule, unless it has been removed."""
        if number in self._faults:
            self._faults.remove(number)
            self.control("DELETE", f"/faults/{number}")

    def latency(self, latency: str, *, d1_service_time: str = "1ms") -> None:
        """Add the round trips of a deployed account to this account's calls, until the test ends.

        Args:
            latency: the time of a round trip to the API, D1, KV, R2 or a Durable Object, such as
                `60ms`; `0ms` adds nothing.
            d1_service_time: how long a call or batch occupies its D1 database.

        Raises:
            EmulatorError: a text is not a duration.
        """
        distance = {"latency": latency, "d1_service_time": d1_service_time}
        self.control("PUT", "/distance", json={"account": self.account_id, **distance})
        self._distant = True

    def control(self, method: str, path: str, json: object = None) -> Any:
        """Call the control API below `/emulator`, which Cloudflare does not have.

        Raises:
            EmulatorError: it refuses the call.
        """
        response = self.http.request(
            method,
            f"{self._root}/emulator{path}",
            json=json,
            headers={"Authorization": f"Bearer {self._token}"},
        )
        if response.status_code >= 400:
            raise EmulatorError(f"the embedded Cloudflare refuses {method} {path}: {response.text}")
        return response.json() if response.content else None

    @cached_property
    def http(self) -> "httpx.Client":
        """The HTTP client, without proxies, redirects and certificates."""
        import httpx

        return httpx.Client(verify=False, trust_env=False, timeout=60)  # noqa: S501 -- no TLS here

    def close(self) -> None:
        """Delete the account's Workers, and remove its faults."""
        try:
            for number in list(self._faults):
                self.remove_fault(number)
            if self._distant:
                self.latency("0ms")
            scripts = f"{self.base_url}/accounts/{self.account_id}/workers/scripts"
            bearer = {"Authorization": f"Bearer {self._token}"}
            for worker in self.control("GET", f"/workers?account={self.account_id}")["workers"]:
                self.http.delete(f"{scripts}/{worker['script']}?force=true", headers=bearer)
        finally:
            self.http.close()
