"""The description of the HTTP API, compared with the routes by Schemathesis."""

import copy
import re
from collections import Counter
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.worker.pairs.conftest import ROOT
from tests.worker.worker_calls import KEY, Api

pytestmark = [pytest.mark.workerd, pytest.mark.no_cover, pytest.mark.xdist_group("pairs")]

SERVICE = ROOT / "worker_src/flowflare/src/service.js"
GENERATION = {
    "max-examples": 12,
    "deterministic": True,
    "no-shrink": True,
    "with-security-parameters": False,
}
SETTINGS = {
    "headers": {"X-API-Key": KEY},
    "phases": {"examples": {"enabled": False}, "stateful": {"enabled": False}},
    # A run ID or an Idempotency-Key that was used before is valid in itself.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "422"]}},
    "cache": {"enabled": False},
}


@pytest.fixture
def service(pairs: dict[str, Api]) -> Api:
    """A service for which no test has written odd rows, such as invalid times."""
    return pairs["service"]


@pytest.fixture
def document(service: Api) -> Any:
    answer = service.client.get("/openapi.json", headers={"X-API-Key": KEY})
    assert answer.status_code == 200, answer.text
    return answer.json()


def without_the_feed(document: Any) -> Any:
    """Return a copy, because Schemathesis opens no WebSockets."""
    called = copy.deepcopy(document)
    del called["paths"]["/api/tracker-websocket"]
    return called


def with_what_is_there(document: Any, run: str) -> Any:
    """Return the document with what must exist, besides the form: a step, and no cursor."""
    called = without_the_feed(document)
    retry = called["components"]["schemas"]["RetryUpdate"]["properties"]
    retry["workflow_run_id"] = {"const": run}
    retry["step_index"] = {"const": 1}
    retry["step_name"] = {"enum": ["one", None, ""]}
    bodies = [
        operation["post"]["requestBody"]["content"]["application/json"]["schema"]
        for operation in called["paths"].values()
        if "post" in operation
    ]
    for schema in [*bodies, called["components"]["schemas"]["Filters"]]:
        schema.get("properties", {}).pop("cursor", None)
    return called


def problems_of(document: Any, service: Api, mode: str) -> tuple[list[str], Counter[str]]:
    """Return what Schemathesis found, and how often it called each operation."""
    own = {"base-url": str(service.client.base_url), "generation": GENERATION | {"mode": mode}}
    config = SchemathesisConfig.from_dict(SETTINGS | own)
    schema = schemathesis.openapi.from_dict(document, config=config)
    calls: Counter[str] = Counter()
    problems = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            calls[event.recorder.label] += len(event.recorder.cases)
            problems += [
                f"{event.recorder.label}: {check.name}: {check.failure_info.failure}"
                f"\n{check.failure_info.code_sample}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.failure_info
            ]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            problems.append(str(event))
    return problems, calls


@pytest.mark.long
def test_described_requests_are_accepted(document: Any, service: Api, fresh: str) -> None:
    service.update("step_update", workflow_run_id=fresh, step_name="one", step_index=1)

    problems, calls = problems_of(with_what_is_there(document, fresh), service, "positive")

    assert not problems, "\n\n".join(problems)
    assert len(calls) == len(document["paths"]) - 1


@pytest.mark.long
def test_other_requests_are_refused(document: Any, service: Api) -> None:
    problems, calls = problems_of(without_the_feed(document), service, "negative")

    assert not problems, "\n\n".join(problems)
    assert all(calls[f"POST {path}"] for path, item in document["paths"].items() if "post" in item)


def test_every_route_is_described(document: Any) -> None:
    """Describe a new route in worker_src/flowflare/src/openapi.js."""
    routes = re.findall(r"^  '(/[\w./-]+)': \{", SERVICE.read_text(), re.MULTILINE)

    assert sorted(document["paths"]) == sorted(routes)


def test_the_description_needs_the_key(service: Api) -> None:
    assert service.client.get("/openapi.json").status_code == 401
