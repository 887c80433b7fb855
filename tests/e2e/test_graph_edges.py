"""Why the graph has its edges: without what it depends on, Cloudflare refuses a resource.

Each case makes what a resource depends on, except one dependency and what stands on that one, and
then the resource itself.
"""

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from flowflare.config.files import read_project
from flowflare.errors import ApiError
from flowflare.kinds.access import Access
from flowflare.kinds.contract import load_apply
from flowflare.kinds.registry import find_kind
from flowflare.resources import providers
from tests.e2e.conftest import ROOT
from tests.e2e.embedded import Cloudflare
from tests.unit.resources.recording_monitor import Declared, record

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

DATABASE_ID = "flowflare-service-database-id"
PROVIDERS = {
    "ApiKey": providers.ApiKeyProvider,
    "D1Migrations": providers.D1MigrationsProvider,
    "DurableObjectMigrations": providers.DurableObjectMigrationsProvider,
    "WorkersDevUrl": providers.WorkersDevUrlProvider,
}
# Resource, what it is made without, and Cloudflare's code for that.
REFUSED = {
    ("service-migrations", "service-database"): 7404,
    ("service-class-migrations", "service-database"): 10181,
    ("orders-script", "service-class-migrations"): 10143,
    ("orders-order-processing", "orders-script"): 10007,
    ("orders-subdomain", "orders-script"): 10007,
    ("orders-url", "orders-subdomain"): 0,
    ("service-script", "service-database"): 10181,
    # The clients' Workflows stand on it, and they are what is missed first.
    ("service-script", "service-class-migrations"): 10200,
    ("service-script", "orders-order-processing"): 10200,
    ("service-url", "service-subdomain"): 0,
}
# Edges for another reason than a refusal.
OTHER = {
    ("service-api-key", "service-migrations"): "nothing is kept for a database without tables",
    ("service-class-migrations", "service-api-key"): "the script is there only when it has a key",
    ("orders-script", "service-api-key"): "the key is one of its values",
    ("service-script", "service-api-key"): "the key is one of its values",
    ("service-subdomain", "service-script"): "no URL before the script is whole",
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Declared]:
    root = tmp_path_factory.mktemp("example")
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        shutil.copy(ROOT / name, root)
    shutil.copytree(ROOT / "worker_src/orders", root / "worker_src/orders")
    config = {key: value.text for key, value in read_project(root, "local").values.items()}
    with contextlib.chdir(root):
        monitor = record(ROOT / "infra/__main__.py", config=config, stack="local")
    return {short(one.urn): one for one in monitor.declared if one.custom}


def short(urn: str) -> str:
    return urn.rpartition("::")[2].removeprefix("flowflare-")


def before(graph: Mapping[str, Declared], name: str) -> set[str]:
    """Everything that a resource stands on."""
    direct = {short(urn) for urn in graph[name].dependencies}
    return direct.union(*(before(graph, one) for one in direct))


class Maker:
    """Makes recorded resources in an account of its own."""

    def __init__(self, graph: Mapping[str, Declared], cloudflare: Cloudflare) -> None:
        self._graph = graph
        self._account = uuid4().hex
        self._access = {"baseUrl": cloudflare.base_url, "apiToken": cloudflare.token}
        self._database_id = str(uuid4())

    def make(self, name: str, **changes: Any) -> None:
        one = self._graph[name]
        inputs = self._filled(dict(one.inputs)) | changes
        if one.type.startswith("cloudflare:"):
            kind = load_apply(find_kind(one.type))(Access(self._access, {}))
            made = kind.create(kind.check({}, inputs))
            if name == "service-database":
                self._database_id = made.id
            return
        provider = PROVIDERS[one.type.rpartition(":")[2]]()
        config = {f"cloudflare:{key}": value for key, value in self._access.items()}
        provider.configure(ConfigureRequest(Config(config, "flowflare")))
        provider.create(inputs)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"secret"}:
                return self._filled(value["secret"])
            account = {"accountId": self._account, "account_id": self._account}
            return {key: account.get(key) or self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return self._database_id if value == DATABASE_ID else value


@pytest.fixture
def maker(graph: Mapping[str, Declared], cloudflare: Cloudflare) -> Maker:
    return Maker(graph, cloudflare)


def test_every_edge_has_its_reason(graph: Mapping[str, Declared]) -> None:
    edges = {(name, short(urn)) for name, one in graph.items() for urn in one.dependencies}
    assert edges == set(REFUSED) | set(OTHER)


@pytest.mark.parametrize(("edge", "code"), REFUSED.items(), ids=str)
def test_without_an_edge_cloudflare_refuses(
    graph: Mapping[str, Declared], maker: Maker, edge: tuple[str, str], code: int
) -> None:
    name, missing = edge
    for other in graph:
        stands_on_it = missing == other or missing in before(graph, other)
        if other in before(graph, name) and not stands_on_it:
            maker.make(other)
    with pytest.raises(ApiError) as caught:
        maker.make(name)
    assert code in (caught.value.codes or (0,)), caught.value


def test_with_every_edge_it_is_made_and_a_resent_migration_is_refused(
    graph: Mapping[str, Declared], maker: Maker
) -> None:
    for name in graph:
        maker.make(name)
    again = {"newTag": "workflow-tracker-v1", "newSqliteClasses": ["WorkflowTracker"]}
    with pytest.raises(ApiError) as caught:
        maker.make("service-script", migrations=again)
    assert (caught.value.status, caught.value.codes) == (412, (10079,))


def test_the_graph_is_recorded_in_an_order_that_works(graph: Mapping[str, Declared]) -> None:
    seen: set[str] = set()
    for name in graph:
        assert before(graph, name) <= seen, Path(name)
        seen.add(name)
