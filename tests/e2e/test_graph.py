"""An `up` that ignores an edge of the resource graph fails with Cloudflare's refusal.

The program loses one dependency. The emulator holds the call of that dependency until the resource
without it has ended, so the order is certain. Then the program is restored, and an `up` must
converge from what the failed run left.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from flowflare.errors import UpdateFailed
from flowflare.values.events import Event
from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.support.tiers import keep_every
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

Edge = tuple[str, str]
PREFIX = "flowflare-"
SERVICE = ("PUT", "/accounts/*/workers/scripts/local-flowflare-service")
SCHEMA = ("POST", "/accounts/*/d1/database/*/*")
ORDERS = ("PUT", "/accounts/*/workers/scripts/local-flowflare-orders")


@dataclass(frozen=True)
class Refusal:
    """How the resource without its dependency fails.

    Attributes:
        code: Cloudflare's error code.
        held: method and path of the call that is held meanwhile.
        instead: the input from the dependency, with a value that needs no other resource.
    """

    code: int
    held: tuple[str, str]
    instead: Mapping[str, str] | None = None


# The transitive reduction of the example's graph: a resource, and what it depends on.
REFUSED: dict[Edge, Refusal] = {
    # A database's ID is unknown before the database is created, so any ID will do.
    ("service-migrations", "service-database"): Refusal(
        7404,
        ("POST", "/accounts/*/d1/database"),
        {"database_id": "00000000-0000-4000-8000-000000000000"},
    ),
    ("orders-script", "service-class-migrations"): Refusal(10143, SERVICE),
    ("orders-order-processing", "orders-script"): Refusal(10007, ORDERS),
    ("orders-subdomain", "orders-script"): Refusal(10007, ORDERS),
    ("orders-url", "orders-subdomain"): Refusal(10007, ORDERS),
    ("service-script", "orders-order-processing"): Refusal(
        10200, ("PUT", "/accounts/*/workflows/*")
    ),
    # The class migrations uploaded a script before, but only this edge makes it wait for them.
    ("service-subdomain", "service-script"): Refusal(10007, SERVICE),
    ("service-url", "service-subdomain"): Refusal(10007, SERVICE),
}
HARMLESS: dict[Edge, str] = {
    ("service-api-key", "service-migrations"): "a key is created without an API call; the edge "
    "keeps a stack whose schema failed from having a key",
    ("service-class-migrations", "service-api-key"): "the upload of the class migrations binds no "
    "key; without the edge the service would exist although its schema failed",
}

_ALTERED = """
import json
import pulumi

ALTERATION = json.loads({alteration!r})


def alter(args):
    if args.name != ALTERATION["resource"]:
        return None
    opts, props = args.opts, args.props
    kept = [each for each in opts.depends_on or [] if each._name != ALTERATION["without"]]
    opts.depends_on = kept
    props.update(ALTERATION["inputs"])
    return pulumi.ResourceTransformationResult(props, opts)


pulumi.runtime.register_stack_transformation(alter)
"""


def alter(project: Project, resource: str, *, without: str = "", **inputs: object) -> str:
    """Remove a dependency of a resource, or set inputs; return the program as it was."""
    file = project.root / "infra/__main__.py"
    before = file.read_text()
    alteration = {"resource": PREFIX + resource, "without": PREFIX + without, "inputs": inputs}
    file.write_text(_ALTERED.format(alteration=json.dumps(alteration)) + before)
    return before


def restore(project: Project, program: str) -> None:
    (project.root / "infra/__main__.py").write_text(program)


def read_edges(project: Project) -> set[Edge]:
    """Return the dependencies in the stack's state."""
    [file] = (project.root / ".flowflare/state/.pulumi/stacks").rglob("local.json")
    resources = json.loads(file.read_text())["checkpoint"]["latest"]["resources"]
    return {
        (shorten_urn(resource["urn"]), shorten_urn(urn))
        for resource in resources
        for urns in [
            resource.get("dependencies") or [],
            *(resource.get("propertyDependencies") or {}).values(),
        ]
        for urn in urns
    }


def shorten_urn(urn: str) -> str:
    return urn.rpartition("::")[2].removeprefix(PREFIX)


def reduce_edges(graph: set[Edge]) -> set[Edge]:
    """Return the edges that are not implied by a longer path."""

    def find_reachable(start: str) -> set[str]:
        direct = {after for before, after in graph if before == start}
        return direct.union(*(find_reachable(dependency) for dependency in direct))

    return {
        (resource, dependency)
        for resource, dependency in graph
        if not any(
            dependency in find_reachable(third) for before, third in graph if before == resource
        )
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> Project:
    """Deploy the example; tests leave it unchanged."""
    project = make_project(tmp_path_factory.mktemp("graph") / "shop", cloudflare)
    project.open_stack().up()
    return project


def test_every_edge_of_the_graph_is_in_one_of_the_lists(shop: Project) -> None:
    assert reduce_edges(read_edges(shop)) == REFUSED.keys() | HARMLESS.keys()


def run_up_in_the_worst_order(
    project: Project, resource: str, held: tuple[str, str]
) -> list[Event]:
    """Run `up` and hold a call until the resource has ended; return the last event of each step."""
    ended: list[Event] = []
    is_stuck = False
    method, path = held
    with project.account.inject_fault({"kind": "hold"}, method=method, path=path) as fault:

        def on_event(event: Event) -> None:
            if event.step is not None and event.kind in {"done", "failed", "skipped"}:
                ended.append(event)
                if event.step.name == PREFIX + resource:
                    fault.release()

        def give_up() -> None:
            nonlocal is_stuck
            is_stuck = True
            fault.release()

        # A resource that depends on the held call would wait forever.
        impatience = threading.Timer(PATIENCE, give_up)
        impatience.start()
        try:
            project.open_stack().up(on_event)
        except UpdateFailed:
            assert [event for event in ended if event.kind == "failed"]
        finally:
            impatience.cancel()
        assert fault.count_fired()
    assert not is_stuck, f"{resource} waited for {method} {path}"
    return ended


def list_names(events: list[Event], kind: str) -> list[str]:
    return [event.step.name for event in events if event.step and event.kind == kind]


@pytest.mark.parametrize(
    ("edge", "refusal"), keep_every(3, REFUSED.items()), ids=[" ".join(e) for e in REFUSED]
)
def test_up_fails_without_an_edge_and_converges_with_it(
    project: Project, edge: Edge, refusal: Refusal
) -> None:
    resource, other = edge
    program = alter(project, resource, without=other, **(refusal.instead or {}))
    ended = run_up_in_the_worst_order(project, resource, refusal.held)
    assert list_names(ended, "failed") == [PREFIX + resource]
    [failed] = [event for event in ended if event.kind == "failed"]
    assert re.search(rf"\b{refusal.code}\b", failed.message), failed.message

    restore(project, program)
    project.open_stack().up()
    assert reduce_edges(read_edges(project)) == REFUSED.keys() | HARMLESS.keys()
    assert len(project.account.list_databases()) == 1


@pytest.mark.parametrize("edge", HARMLESS, ids=" ".join)
def test_up_succeeds_without_a_harmless_edge(project: Project, edge: Edge) -> None:
    resource, other = edge
    alter(project, resource, without=other)
    ended = run_up_in_the_worst_order(project, resource, SCHEMA)
    order = list_names(ended, "done")
    assert len(order) == len(ended)
    assert order.index(PREFIX + resource) < order.index(PREFIX + "service-migrations")


def test_class_migrations_that_are_sent_again_are_refused(shop: Project) -> None:
    resent = {"newTag": "workflow-tracker-v1", "newSqliteClasses": ["WorkflowTracker"]}
    program = alter(shop, "service-script", migrations=resent)
    try:
        with pytest.raises(UpdateFailed, match=r"\b10079\b"):
            shop.open_stack().up()
        requests = shop.account.list_requests()
        statuses = [request["status"] for request in requests if request["method"] == "PUT"]
        assert statuses[-1] == 412
    finally:
        restore(shop, program)
    assert shop.open_stack().up().changed == 0
