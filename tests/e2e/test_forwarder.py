"""The SDK, wrangler and an `up` stay below the API's limit when they use the forwarder."""

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from cloudflare import Cloudflare as Sdk

from flowflare.config.files import read_project
from flowflare.errors import ConfigError
from flowflare.fleet.engines import open_fleet_stack
from flowflare.fleet.forwarder.address import make_environ
from flowflare.fleet.forwarder.server import Forwarder
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.wrangler import run_wrangler

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]


@pytest.fixture
def forwarder() -> Iterator[Forwarder]:
    with Forwarder() as running:
        yield running


@pytest.fixture
def token(cloudflare: Cloudflare) -> str:
    """Create a token for the test alone, so that its limit applies to no other test."""
    return cloudflare.create_token()


def set_limit(cloudflare: Cloudflare, token: str, calls: int, seconds: float) -> None:
    """Set the limit; a token that exceeds it is blocked for longer than a test may take."""
    cloudflare.limit(calls, seconds=seconds, block=300, token=token)


def list_statuses(cloudflare: Cloudflare, account: str) -> list[int]:
    """Return the statuses of an account's API calls."""
    return [request["status"] for request in cloudflare.open_account(account).list_requests()]


def test_the_official_sdk_stays_below_the_limit_with_several_stacks_and_machines(
    cloudflare: Cloudflare, forwarder: Forwarder, token: str
) -> None:
    """The two forwarders share no state: they learn of the limit from the API's headers."""
    set_limit(cloudflare, token, 20, 3.0)
    account = uuid.uuid4().hex

    def work(machine: Forwarder, stack: str) -> None:
        base_url = machine.base_url(stack, cloudflare.base_url)
        with Sdk(base_url=base_url, api_token=token, max_retries=0) as sdk:
            database = sdk.d1.database.create(account_id=account, name=f"{stack}-runs")
            for number in range(13):
                sql = f"SELECT {number} AS n"
                [page] = sdk.d1.database.query(database.uuid, account_id=account, sql=sql)  # type: ignore[arg-type]
                assert page.results == [{"n": number}]
            assert len(list(sdk.d1.database.list(account_id=account, per_page=1))) >= 1

    with Forwarder() as other, ThreadPoolExecutor() as threads:
        machines = [forwarder, forwarder, other]
        list(threads.map(work, machines, ["acme", "beta", "cafe"]))
        counts = {**forwarder.counts(), **other.counts()}
        tallies = [*forwarder.tally().values(), *other.tally().values()]
    statuses = list_statuses(cloudflare, account)
    assert len(statuses) >= 3 * 15
    assert set(statuses) == {200}
    assert sorted(counts) == ["acme", "beta", "cafe"]
    assert sum(counts.values()) == len(statuses)
    assert all(count.held for count in tallies)


def test_the_sdk_repeats_a_call_if_its_timeout_is_shorter_than_the_wait(
    cloudflare: Cloudflare, forwarder: Forwarder, token: str
) -> None:
    """The SDK sends its timeout; the forwarder answers 429 before that, without an API call."""
    set_limit(cloudflare, token, 1, 6.0)
    account = uuid.uuid4().hex
    base_url = forwarder.base_url("acme", cloudflare.base_url)
    answers: list[int] = []
    hooks = {"response": [lambda answer: answers.append(answer.status_code)]}
    with Sdk(
        base_url=base_url,
        api_token=token,
        timeout=3.0,
        http_client=httpx.Client(event_hooks=hooks),  # type: ignore[arg-type]
    ) as sdk:
        for _ in range(2):
            assert list(sdk.d1.database.list(account_id=account)) == []
    assert answers[0] == 200
    assert answers[1:] in ([429, 200], [429, 429, 200])
    assert list_statuses(cloudflare, account) == [200, 200]


@pytest.mark.long
def test_wrangler_waits_for_the_budget(
    cloudflare: Cloudflare, forwarder: Forwarder, token: str, tmp_path: Path
) -> None:
    """Wrangler repeats only some calls after a 429, so the forwarder makes all of them wait."""
    set_limit(cloudflare, token, 3, 2.0)
    account = uuid.uuid4().hex
    (tmp_path / "wrangler.json").write_text(
        '{"name": "app", "main": "index.js", "compatibility_date": "2026-11-01"}'
    )
    (tmp_path / "index.js").write_text("export default { fetch: () => new Response('here') };")
    plain = {"CLOUDFLARE_BASE_URL": cloudflare.base_url, "CLOUDFLARE_API_TOKEN": token}
    forwarded = make_environ(forwarder.address, "acme", plain)
    run_wrangler(
        tmp_path, cloudflare.open_account(account), cloudflare, "deploy", environ=forwarded
    )
    assert cloudflare.open_account(account).list_scripts() == ["app"]
    statuses = list_statuses(cloudflare, account)
    assert 429 not in statuses
    count = forwarder.tally()["acme"]
    assert count.calls >= 5
    assert count.held > 0


def test_an_up_of_the_embedded_engine_is_the_same_through_the_forwarder(
    project: Project, forwarder: Forwarder
) -> None:
    """The state does not name the forwarder, so later runs work without it."""
    environ = dict(os.environ)
    stack = open_fleet_stack(read_project(project.root, "local"), environ, forwarder.address)
    last = project.account.find_last_request()
    assert stack.up().changed > 0
    assert forwarder.counts()["local"] == len(project.account.list_requests(last))
    tally = forwarder.tally()["local"]
    assert tally.writes == len(project.account.list_writes(last))
    states = project.root.glob(".flowflare/state/.pulumi/**/*.json")
    for state in states:
        text = state.read_text()
        assert forwarder.address not in text
        assert "/local/" not in text
    direct = open_fleet_stack(read_project(project.root, "local"), environ)
    assert direct.up().changed == 0
    assert forwarder.counts()["local"] == tally.calls


def test_a_base_url_in_the_stack_file_would_bypass_the_budget_and_is_refused(
    project: Project, forwarder: Forwarder
) -> None:
    project.edit("Pulumi.local.yaml", "flowflare:engine: embedded", "flowflare:engine: pulumi")
    with pytest.raises(ConfigError, match=r"Pulumi.local.yaml:\d+: `cloudflare:baseUrl`: a fleet"):
        open_fleet_stack(read_project(project.root, "local"), {}, forwarder.address)


def test_an_emulator_that_does_not_answer_is_a_502_until_it_answers_again(
    cloudflare: Cloudflare, forwarder: Forwarder, token: str
) -> None:
    account = uuid.uuid4().hex
    url = forwarder.base_url("acme", cloudflare.base_url) + f"/accounts/{account}/workers/scripts"
    with cloudflare.open_account(account).inject_fault({"kind": "cut"}, times=1):
        cut = httpx.get(url, headers={"Authorization": f"Bearer {token}"})
    assert cut.status_code == 502
    assert httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200
