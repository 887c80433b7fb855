"""An `up` without one edge of the graph, in the worst order, fails as Cloudflare refuses.

The program loses one dependency, and the emulator holds the call of what it depended on until the
resource that lost it has ended: the order is not left to chance. Then the program is put right and
must converge on what the failed run left behind.
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
    """How the resource that lost its edge fails.

    Attributes:
        code: Cloudflare's code.
        held: method and path of the call that is held back meanwhile.
        instead: the input that carried the edge, with a value that needs no other resource.
    """

    code: int
    held: tuple[str, str]
    instead: Mapping[str, str] | None = None


# The transitive reduction of the example's graph: the resource, and what it comes after.
REFUSED: dict[Edge, Refusal] = {
    # Nobody knows a database's id before it is made; this one is as good as any.
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
    # The class migrations have uploaded a script by then, but nothing else makes it wait for them.
    ("service-subdomain", "service-script"): Refusal(10007, SERVICE),
    ("service-url", "service-subdomain"): Refusal(10007, SERVICE),
}
HARMLESS: dict[Edge, str] = {
    ("service-api-key", "service-migrations"): "a key is made without a call to the API; the edge "
    "keeps a stack whose schema failed from having one",
    ("service-class-migrations", "service-api-key"): "the upload of the class migrations binds no "
    "key; the edge keeps the service from existing where the schema failed",
}

_ALTERED = """
import json
import pulumi

ALTERATION = json.loads({alteration!r})


def alter(args):
    if args.name != ALTERATION["resource"]:
        return None
    opts, props = args.opts, args.props
    opts.depends_on = [one for one in opts.depends_on or [] if one._name != ALTERATION["without"]]
    props.update(ALTERATION["inputs"])
    return pulumi.ResourceTransformationResult(props, opts)


pulumi.runtime.register_stack_transformation(alter)
"""


def alter(project: Project, resource: str, *, without: str = "", **inputs: object) -> str:
    """Takes a dependency from one resource of the program, or sets inputs; returns it as it was."""
    file = project.root / "infra/__main__.py"
    before = file.read_text()
    alteration = {"resource": PREFIX + resource, "without": PREFIX + without, "inputs": inputs}
    file.write_text(_ALTERED.format(alteration=json.dumps(alteration)) + before)
    return before


def restore(project: Project, program: str) -> None:
    (project.root / "infra/__main__.py").write_text(program)


def edges(project: Project) -> set[Edge]:
    """What depends on what, as the stack's state has it."""
    [file] = (project.root / ".flowflare/state/.pulumi/stacks").rglob("local.json")
    resources = json.loads(file.read_text())["checkpoint"]["latest"]["resources"]
    return {
        (short(one["urn"]), short(urn))
        for one in resources
        for urns in [
            one.get("dependencies") or [],
            *(one.get("propertyDependencies") or {}).values(),
        ]
        for urn in urns
    }


def short(urn: str) -> str:
    return urn.rpartition("::")[2].removeprefix(PREFIX)


def reduced(graph: set[Edge]) -> set[Edge]:
    """The edges that no other path stands for."""

    def reach(start: str) -> set[str]:
        direct = {after for before, after in graph if before == start}
        return direct.union(*(reach(one) for one in direct))

    return {
        (one, other)
        for one, other in graph
        if not any(other in reach(third) for before, third in graph if before == one)
    }


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> Project:
    """The example after an `up`; tests leave it so."""
    project = make_project(tmp_path_factory.mktemp("graph") / "shop", cloudflare)
    project.stack().up()
    return project


def test_every_edge_of_the_graph_has_a_verdict(standing: Project) -> None:
    assert reduced(edges(standing)) == REFUSED.keys() | HARMLESS.keys()


def up_in_the_worst_order(project: Project, resource: str, held: tuple[str, str]) -> list[Event]:
    """Runs `up` while a call is held until the resource has ended; returns how things ended."""
    ended: list[Event] = []
    waits = False
    method, path = held
    with project.account.fault({"kind": "hold"}, method=method, path=path) as fault:

        def on_event(event: Event) -> None:
            if event.step is not None and event.kind in {"done", "failed", "skipped"}:
                ended.append(event)
                if event.step.name == PREFIX + resource:
                    fault.release()

        def give_up() -> None:
            nonlocal waits
            waits = True
            fault.release()

        # A resource that still waits for the held call would wait for ever.
        impatience = threading.Timer(PATIENCE, give_up)
        impatience.start()
        try:
            project.stack().up(on_event)
        except UpdateFailed:
            assert [event for event in ended if event.kind == "failed"]
        finally:
            impatience.cancel()
        assert fault.fired()
    assert not waits, f"{resource} waited for {method} {path}"
    return ended


def names(events: list[Event], kind: str) -> list[str]:
    return [event.step.name for event in events if event.step and event.kind == kind]


@pytest.mark.parametrize(
    ("edge", "refusal"), keep_every(3, REFUSED.items()), ids=[" ".join(e) for e in REFUSED]
)
def test_without_an_edge_up_fails(project: Project, edge: Edge, refusal: Refusal) -> None:
    resource, other = edge
    program = alter(project, resource, without=other, **(refusal.instead or {}))
    ended = up_in_the_worst_order(project, resource, refusal.held)
    assert names(ended, "failed") == [PREFIX + resource]
    [failed] = [event for event in ended if event.kind == "failed"]
    assert re.search(rf"\b{refusal.code}\b", failed.message), failed.message

    restore(project, program)
    project.stack().up()
    assert reduced(edges(project)) == REFUSED.keys() | HARMLESS.keys()
    assert len(project.account.databases()) == 1


@pytest.mark.parametrize("edge", HARMLESS, ids=" ".join)
def test_without_a_harmless_edge_nothing_fails(project: Project, edge: Edge) -> None:
    resource, other = edge
    alter(project, resource, without=other)
    ended = up_in_the_worst_order(project, resource, SCHEMA)
    order = names(ended, "done")
    assert len(order) == len(ended)
    assert order.index(PREFIX + resource) < order.index(PREFIX + "service-migrations")


def test_class_migrations_sent_again_are_refused(standing: Project) -> None:
    resent = {"newTag": "workflow-tracker-v1", "newSqliteClasses": ["WorkflowTracker"]}
    program = alter(standing, "service-script", migrations=resent)
    try:
        with pytest.raises(UpdateFailed, match=r"\b10079\b"):
            standing.stack().up()
        answered = [one["status"] for one in standing.account.requests() if one["method"] == "PUT"]
        assert answered[-1] == 412
    finally:
        restore(standing, program)
    assert standing.stack().up().changed == 0
