"""Every edge of the resource graph is needed: without the dependency Cloudflare refuses.

Each case creates the dependencies of a resource, except one dependency and what depends on that
one, and then the resource itself.
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
# Resource, the missing dependency, and Cloudflare's error code.
REFUSED = {
    ("service-migrations", "service-database"): 7404,
    ("service-class-migrations", "service-database"): 10181,
    ("orders-script", "service-class-migrations"): 10143,
    ("orders-order-processing", "orders-script"): 10007,
    ("orders-subdomain", "orders-script"): 10007,
    ("orders-url", "orders-subdomain"): 0,
    ("service-script", "service-database"): 10181,
    # The clients' Workflows depend on this, and Cloudflare misses them first.
    ("service-script", "service-class-migrations"): 10200,
    ("service-script", "orders-order-processing"): 10200,
    ("service-url", "service-subdomain"): 0,
}
# Edges with another reason than a refusal.
OTHER = {
    ("service-api-key", "service-migrations"): "no key is stored for a database without tables",
    ("service-class-migrations", "service-api-key"): "the script must not exist without its key",
    ("orders-script", "service-api-key"): "the script has the key as an input",
    ("service-script", "service-api-key"): "the script has the key as an input",
    ("service-subdomain", "service-script"): "the URL must not exist before the complete script",
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
    return {shorten_urn(resource.urn): resource for resource in monitor.declared if resource.custom}


def shorten_urn(urn: str) -> str:
    return urn.rpartition("::")[2].removeprefix("flowflare-")


def find_dependencies(graph: Mapping[str, Declared], name: str) -> set[str]:
    """Return everything that a resource depends on, directly or not."""
    direct = {shorten_urn(urn) for urn in graph[name].dependencies}
    return direct.union(*(find_dependencies(graph, dependency) for dependency in direct))


class Creator:
    """Create recorded resources in a separate account."""

    def __init__(self, graph: Mapping[str, Declared], cloudflare: Cloudflare) -> None:
        self._graph = graph
        self._account = uuid4().hex
        self._access = {"baseUrl": cloudflare.base_url, "apiToken": cloudflare.token}
        self._database_id = str(uuid4())

    def create(self, name: str, **changes: Any) -> None:
        resource = self._graph[name]
        inputs = self._fill_in(dict(resource.inputs)) | changes
        if resource.type.startswith("cloudflare:"):
            kind = load_apply(find_kind(resource.type))(Access(self._access, {}))
            created = kind.create(kind.check({}, inputs))
            if name == "service-database":
                self._database_id = created.id
            return
        provider = PROVIDERS[resource.type.rpartition(":")[2]]()
        config = {f"cloudflare:{key}": value for key, value in self._access.items()}
        provider.configure(ConfigureRequest(Config(config, "flowflare")))
        provider.create(inputs)

    def _fill_in(self, value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"secret"}:
                return self._fill_in(value["secret"])
            account = {"accountId": self._account, "account_id": self._account}
            return {key: account.get(key) or self._fill_in(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill_in(item) for item in value]
        return self._database_id if value == DATABASE_ID else value


@pytest.fixture
def creator(graph: Mapping[str, Declared], cloudflare: Cloudflare) -> Creator:
    return Creator(graph, cloudflare)


def test_every_edge_has_a_reason(graph: Mapping[str, Declared]) -> None:
    edges = {
        (name, shorten_urn(urn))
        for name, resource in graph.items()
        for urn in resource.dependencies
    }
    assert edges == set(REFUSED) | set(OTHER)


@pytest.mark.parametrize(("edge", "code"), REFUSED.items(), ids=str)
def test_without_a_dependency_cloudflare_refuses_the_resource(
    graph: Mapping[str, Declared], creator: Creator, edge: tuple[str, str], code: int
) -> None:
    name, missing = edge
    for other in graph:
        is_skipped = missing == other or missing in find_dependencies(graph, other)
        if other in find_dependencies(graph, name) and not is_skipped:
            creator.create(other)
    with pytest.raises(ApiError) as caught:
        creator.create(name)
    assert code in (caught.value.codes or (0,)), caught.value


def test_with_all_dependencies_every_resource_is_created_and_a_repeated_migration_is_refused(
    graph: Mapping[str, Declared], creator: Creator
) -> None:
    for name in graph:
        creator.create(name)
    repeated = {"newTag": "workflow-tracker-v1", "newSqliteClasses": ["WorkflowTracker"]}
    with pytest.raises(ApiError) as caught:
        creator.create("service-script", migrations=repeated)
    assert (caught.value.status, caught.value.codes) == (412, (10079,))


def test_resources_are_recorded_after_their_dependencies(graph: Mapping[str, Declared]) -> None:
    seen: set[str] = set()
    for name in graph:
        assert find_dependencies(graph, name) <= seen, Path(name)
        seen.add(name)
