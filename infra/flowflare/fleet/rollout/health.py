"""Asks a tenant that was just brought up whether it is well, through its service's own API.

The service opens to its key and to nobody else, clients answer, a synthetic run of the
environment's Workflow completes, and of the runs since the wave began few enough have failed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from flowflare.api.headers import check_secret
from flowflare.errors import FlowflareError, RolloutError
from flowflare.fleet.tenants.model import Health
from flowflare.reading.json_text import parse_json
from flowflare.rollout import health as answers
from flowflare.rollout.health import Patience

if TYPE_CHECKING:
    import httpx

#: What synthetic runs refer to: all of a tenant's are runs of one row in `workflow`.
REF: Final = "flowflare-health"
_ENDED: Final = ("Completed", "Errored")
# A list has 100 runs at most; the newest 1,000 tell the rate well enough.
_PAGES: Final = 10
_PAUSE: Final = 0.2


@dataclass(frozen=True)
class Endpoints:
    """Where a tenant answers.

    Attributes:
        service_url: its service's URL; None where it has none, as when it is suspended.
        client_urls: URL by client, of those that have one.
        api_key: the key in use; a secret.
    """

    service_url: str | None
    client_urls: Mapping[str, str]
    api_key: str = field(repr=False)

    @classmethod
    def of(cls, outputs: Mapping[str, Any]) -> "Endpoints":
        """Reads a stack's outputs, its secrets opened."""
        return cls(
            outputs.get("service_url") or None,
            {name: url for name, url in (outputs.get("client_urls") or {}).items() if url},
            str(outputs.get("api_key") or ""),
        )


@dataclass(frozen=True)
class Verdict:
    """Whether a tenant is well.

    Attributes:
        healthy: whether it is.
        found: what was found right; or what is wrong, alone.
        seconds: how long it took until that was known.
        remedy: what to look at, where that is known.
    """

    healthy: bool
    found: tuple[str, ...]
    seconds: float
    remedy: str = ""


class Checker:
    """Asks tenants; may be used by many threads.

    Args:
        http: what asks.
        expected: what the environment wants of its tenants.
        patience: how long a tenant is given, and by which clock; else `within_seconds`.
        place: where the params of the environment's run stand, for the remedy.
    """

    def __init__(
        self,
        http: "httpx.Client",
        expected: Health,
        patience: Patience | None = None,
        *,
        place: str = "health.params",
    ) -> None:
        self._http = http
        self._expected = expected
        self._patience = patience or Patience(expected.within_seconds)
        self._place = place

    def check(self, tenant: Endpoints, since: str) -> Verdict:
        """Asks everything, one after the other, until something is wrong.

        Args:
            tenant: who is asked.
            since: when its wave began, RFC 3339 in UTC.
        """
        return self._verdict(self._everything(tenant, since))

    def check_errors(self, tenant: Endpoints, since: str) -> Verdict:
        """Asks for the error rate alone: what a wave's tenants are asked once more at its end."""
        return self._verdict(self._error_rate(tenant, since))

    def _verdict(self, asking: Iterator[str]) -> Verdict:
        begun = self._patience.clock()
        try:
            found, healthy, remedy = tuple(asking), True, ""
        except FlowflareError as error:  # also a key that cannot be sent: this tenant is not well
            found, healthy, remedy = (error.message,), False, error.remedy or ""
        return Verdict(healthy, found, self._patience.clock() - begun, remedy)

    def _everything(self, tenant: Endpoints, since: str) -> Iterator[str]:
        if tenant.service_url is not None:
            yield self._opens(tenant)
        stack = answers.Stack(tenant.service_url, tenant.client_urls, {}, refuses_keyless=True)
        yield from answers.check(stack, self._patience, http=self._http)
        if tenant.service_url is not None and self._expected.workflow is not None:
            try:
                yield self._run(tenant, self._expected.workflow)
            except RolloutError as error:
                remedy = f"If its params are why, they stand in {self._place}."
                raise RolloutError(error.message, remedy=remedy) from None
        yield from self._error_rate(tenant, since)

    def _opens(self, tenant: Endpoints) -> str:
        try:
            self._insist(tenant, "list-workflows", {"limit": 1}, RolloutError)
        except RolloutError as error:
            message = f"the service does not open to its key: {error.message}"
            raise RolloutError(message) from None
        return "the service opens to its key"

    def _run(self, tenant: Endpoints, workflow: str) -> str:
        """Starts a run and waits for its end; calls that fail are repeated until time is up."""
        begun = self._patience.clock()
        run, status, trouble, key = "", "not started", "", uuid4().hex
        while True:
            try:
                run = run or self._started(tenant, workflow, key)
                found = self._ask(tenant, "get-workflow", {"workflowId": run})["workflow"]
                status, trouble = str(found["status"]), ""
                if status == "Errored":
                    raise RolloutError(f"run {run} of {workflow} failed: {_why(found)}")
            except NoAnswerError as error:
                trouble = f" ({error.message})"
                if error.status == 502:
                    key = uuid4().hex  # with the same key the failed run would be answered again
            seconds = self._patience.clock() - begun
            if status == "Completed":
                return f"a run of {workflow} completed in {seconds:.1f} s"
            if seconds >= self._patience.seconds:
                what = f"run {run} of {workflow}" if run else f"a run of {workflow}"
                raise RolloutError(f"{what} is {status} after {seconds:.0f} s{trouble}")
            self._patience.sleep(_PAUSE)

    def _started(self, tenant: Endpoints, workflow: str, key: str) -> str:
        body = {
            "workflowType": workflow,
            "params": dict(self._expected.params),
            "ref_id": REF,
            "ref_type": REF,
            "metadata": {"source": "flowflare fleet up"},
            "idempotency_key": key,
        }
        return str(self._ask(tenant, "start-workflow", body)["workflowId"])

    def _error_rate(self, tenant: Endpoints, since: str) -> Iterator[str]:
        if tenant.service_url is None:
            return
        ended, failed = 0, 0
        asked: dict[str, Any] = {"created_after": since, "limit": 100}
        for _ in range(_PAGES):
            page = self._insist(tenant, "list-workflows", asked, NoAnswerError)
            runs = [one for one in page["workflows"] if one.get("ref_type") != REF]
            ended += sum(one["status"] in _ENDED for one in runs)
            failed += sum(one["status"] == "Errored" for one in runs)
            if not page.get("next_cursor"):
                break
            asked = {**asked, "cursor": page["next_cursor"]}
        found = f"{failed} of {ended} runs since {since} failed"
        limit = self._expected.max_error_rate
        if failed > limit * ended:
            raise RolloutError(f"{found}, and {limit:.0%} may")
        yield found

    def _insist(
        self, tenant: Endpoints, route: str, body: Mapping[str, Any], trouble: type[RolloutError]
    ) -> dict[str, Any]:
        """Asks, again after such trouble, until time is up."""
        deadline = self._patience.clock() + self._patience.seconds
        while True:
            try:
                return self._ask(tenant, route, body)
            except trouble:
                if self._patience.clock() >= deadline:
                    raise
            self._patience.sleep(_PAUSE)

    def _ask(self, tenant: Endpoints, route: str, body: Mapping[str, Any]) -> dict[str, Any]:
        import httpx

        url = f"{tenant.service_url}/service/{route}"
        try:
            key = check_secret(tenant.api_key, "the stack's API key")
            response = self._http.post(url, json=body, headers={"X-API-Key": key})
            answer = parse_json(response.content)
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswerError(f"{route} did not answer: {type(error).__name__}", 0) from None
        if not isinstance(answer, dict):
            raise NoAnswerError(f"{route} did not answer with a JSON object", response.status_code)
        if response.is_success:
            return dict(answer)
        said = f"{route} answered {response.status_code}: {answer.get('error')}"
        if response.status_code < 500:
            raise RolloutError(said)
        raise NoAnswerError(said, response.status_code)


class NoAnswerError(RolloutError):
    """The service did not answer, or could not; it may when it is asked again."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def _why(run: Mapping[str, Any]) -> str:
    result = run.get("output_result")
    return "it says nothing of the cause" if result is None else str(result)[:300]
