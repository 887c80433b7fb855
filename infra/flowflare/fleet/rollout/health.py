"""Check the health of a tenant after its `up`, through its service's own API.

A tenant is healthy if its service accepts its API key and refuses requests without it, its clients
respond, a synthetic run of the environment's Workflow completes, and the error rate of the runs
since the wave began is low enough.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx

from flowflare.api.headers import check_secret
from flowflare.errors import FlowflareError, RolloutError
from flowflare.fleet.tenants.model import Health
from flowflare.reading.json_text import parse_json
from flowflare.rollout import health as answers
from flowflare.rollout.health import Patience

#: `ref_id` and `ref_type` of synthetic runs, so that all of a tenant's share one `workflow` row.
REF: Final = "flowflare-health"
_ENDED: Final = ("Completed", "Errored")
# A page has at most 100 runs. The newest 1,000 runs are enough for the rate.
_PAGES: Final = 10
_PAUSE: Final = 0.2


@dataclass(frozen=True)
class Endpoints:
    """The URLs of a tenant, and its API key.

    Attributes:
        service_url: its service's URL; None if it has none, for example while it is suspended.
        client_urls: URLs by client name, without clients that have none.
        api_key: the active API key, which is secret.
    """

    service_url: str | None
    client_urls: Mapping[str, str]
    api_key: str = field(repr=False)

    @classmethod
    def of(cls, outputs: Mapping[str, Any]) -> "Endpoints":
        """Read the endpoints from a stack's outputs, with decrypted secrets."""
        return cls(
            outputs.get("service_url") or None,
            {name: url for name, url in (outputs.get("client_urls") or {}).items() if url},
            str(outputs.get("api_key") or ""),
        )


@dataclass(frozen=True)
class HealthResult:
    """The result of a health check.

    Attributes:
        found: what the checks found; for an unhealthy tenant only what is wrong.
        remedy: what to look at, if known.
    """

    healthy: bool
    found: tuple[str, ...]
    seconds: float
    remedy: str = ""


class Checker:
    """Check the health of tenants; may be used by many threads.

    Args:
        patience: how long to wait for a tenant, and the clock; by default `within_seconds`.
        place: where the params of the environment's run are set, for the remedy.
    """

    def __init__(
        self,
        http: httpx.Client,
        expected: Health,
        patience: Patience | None = None,
        *,
        place: str = "health.params",
    ) -> None:
        self._http = http
        self._expected = expected
        self._patience = patience or Patience(expected.within_seconds)
        self._place = place

    def check(self, tenant: Endpoints, since: str) -> HealthResult:
        """Run all checks in order, until one fails.

        Args:
            since: when its wave began, RFC 3339 in UTC.
        """
        return self._run_checks(self._check_all(tenant, since))

    def check_errors(self, tenant: Endpoints, since: str) -> HealthResult:
        """Check only the error rate, as at the end of a wave."""
        return self._run_checks(self._check_error_rate(tenant, since))

    def _run_checks(self, checks: Iterator[str]) -> HealthResult:
        begun = self._patience.clock()
        try:
            found, healthy, remedy = tuple(checks), True, ""
        except FlowflareError as error:  # also for a key that is not a valid header value
            found, healthy, remedy = (error.message,), False, error.remedy or ""
        return HealthResult(healthy, found, self._patience.clock() - begun, remedy)

    def _check_all(self, tenant: Endpoints, since: str) -> Iterator[str]:
        if tenant.service_url is not None:
            yield self._check_key(tenant)
        stack = answers.StackEndpoints(
            tenant.service_url, tenant.client_urls, {}, refuses_keyless=True
        )
        yield from answers.check(stack, self._patience, http=self._http)
        if tenant.service_url is not None and self._expected.workflow is not None:
            try:
                yield self._run(tenant, self._expected.workflow)
            except RolloutError as error:
                remedy = f"If the run's params are wrong, change them in {self._place}."
                raise RolloutError(error.message, remedy=remedy) from None
        yield from self._check_error_rate(tenant, since)

    def _check_key(self, tenant: Endpoints) -> str:
        try:
            self._ask_until_answered(tenant, "list-workflows", {"limit": 1}, RolloutError)
        except RolloutError as error:
            message = f"the service does not accept its key: {error.message}"
            raise RolloutError(message) from None
        return "the service accepts its key"

    def _run(self, tenant: Endpoints, workflow: str) -> str:
        """Start a run and wait until it ends; retry failed calls until the time is up."""
        begun = self._patience.clock()
        run, status, trouble, key = "", "not started", "", uuid4().hex
        while True:
            try:
                run = run or self._start(tenant, workflow, key)
                found = self._ask(tenant, "get-workflow", {"workflowId": run})["workflow"]
                status, trouble = str(found["status"]), ""
                if status == "Errored":
                    raise RolloutError(f"run {run} of {workflow} failed: {_why(found)}")
            except NoAnswerError as error:
                trouble = f" ({error.message})"
                if error.status == 502:
                    key = uuid4().hex  # with the same key, the response would be the failed run
            seconds = self._patience.clock() - begun
            if status == "Completed":
                return f"a run of {workflow} completed in {seconds:.1f} s"
            if seconds >= self._patience.seconds:
                what = f"run {run} of {workflow}" if run else f"a run of {workflow}"
                raise RolloutError(f"{what} is {status} after {seconds:.0f} s{trouble}")
            self._patience.sleep(_PAUSE)

    def _start(self, tenant: Endpoints, workflow: str, key: str) -> str:
        body = {
            "workflowType": workflow,
            "params": dict(self._expected.params),
            "ref_id": REF,
            "ref_type": REF,
            "metadata": {"source": "flowflare fleet up"},
            "idempotency_key": key,
        }
        return str(self._ask(tenant, "start-workflow", body)["workflowId"])

    def _check_error_rate(self, tenant: Endpoints, since: str) -> Iterator[str]:
        if tenant.service_url is None:
            return
        ended, failed = 0, 0
        body: dict[str, Any] = {"created_after": since, "limit": 100}
        for _ in range(_PAGES):
            page = self._ask_until_answered(tenant, "list-workflows", body, NoAnswerError)
            runs = [run for run in page["workflows"] if run.get("ref_type") != REF]
            ended += sum(run["status"] in _ENDED for run in runs)
            failed += sum(run["status"] == "Errored" for run in runs)
            if not page.get("next_cursor"):
                break
            body = {**body, "cursor": page["next_cursor"]}
        found = f"{failed} of {ended} runs since {since} failed"
        limit = self._expected.max_error_rate
        if failed > limit * ended:
            raise RolloutError(f"{found}; the limit is {limit:.0%}")
        yield found

    def _ask_until_answered(
        self, tenant: Endpoints, route: str, body: Mapping[str, Any], retried: type[RolloutError]
    ) -> dict[str, Any]:
        """Call a route, and retry it after an error of the given type until the time is up."""
        deadline = self._patience.clock() + self._patience.seconds
        while True:
            try:
                return self._ask(tenant, route, body)
            except retried:
                if self._patience.clock() >= deadline:
                    raise
            self._patience.sleep(_PAUSE)

    def _ask(self, tenant: Endpoints, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        url = f"{tenant.service_url}/service/{route}"
        try:
            key = check_secret(tenant.api_key, "the stack's API key")
            response = self._http.post(url, json=body, headers={"X-API-Key": key})
            answer = parse_json(response.content)
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswerError(f"{route} did not respond: {type(error).__name__}", 0) from None
        if not isinstance(answer, dict):
            message = f"{route} did not respond with a JSON object"
            raise NoAnswerError(message, response.status_code)
        if response.is_success:
            return dict(answer)
        message = f"{route} responded with {response.status_code}: {answer.get('error')}"
        if response.status_code < 500:
            raise RolloutError(message)
        raise NoAnswerError(message, response.status_code)


class NoAnswerError(RolloutError):
    """The service did not respond, or failed; a retry may succeed."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def _why(run: Mapping[str, Any]) -> str:
    result = run.get("output_result")
    return "it does not report a cause" if result is None else str(result)[:300]
