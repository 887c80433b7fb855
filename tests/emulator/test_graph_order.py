"""A stack's resources in the wrong order: creating one without its dependency is refused.

The calls are those of a service and a client that refer to each other: a database, a Durable Object
class, a service binding and a Workflow across the two scripts.
"""

from collections.abc import Callable

import pytest

from tests.emulator.emulated import Account, durable_object, new_sqlite

pytestmark = pytest.mark.workerd

SERVICE = """
import { DurableObject } from "cloudflare:workers";
export class Tracker extends DurableObject {}
export default { fetch: () => new Response("service") };
"""
CLIENT = """
import { WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint { async run() {} }
export default { fetch: () => new Response("client") };
"""
FLOW = {"type": "workflow", "name": "FLOW", "workflow_name": "flow", "class_name": "Flow"}


class Stack:
    """The steps that create a stack; each can be tried at any time."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.uuid = "00000000-0000-4000-8000-000000000000"

    def database(self) -> None:
        self.uuid = self.account.database("flow")

    def class_migration(self) -> None:
        self.account.put("service", SERVICE, migrations=new_sqlite("Tracker"))

    def client(self) -> None:
        bindings = [
            FLOW,
            {"type": "service", "name": "SVC", "service": "service"},
            durable_object("T", "Tracker", "service"),
        ]
        self.account.put("client", CLIENT, bindings=bindings)

    def workflow(self) -> None:
        body = {"script_name": "client", "class_name": "Flow"}
        self.account.call("PUT", "/workflows/flow", json=body)

    def service(self) -> None:
        bindings = [
            {"type": "d1", "name": "DB", "id": self.uuid},
            durable_object("T", "Tracker"),
            {**FLOW, "script_name": "client"},
        ]
        self.account.put("service", SERVICE, bindings=bindings)

    def subdomain(self) -> None:
        self.account.enable("client")

    def cron(self) -> None:
        crons = [{"cron": "*/5 * * * *"}]
        self.account.call("PUT", "/workers/scripts/service/schedules", json=crons)


ORDER: list[Callable[[Stack], None]] = [
    Stack.database,
    Stack.class_migration,
    Stack.client,
    Stack.workflow,
    Stack.service,
    Stack.subdomain,
    Stack.cron,
]


def test_the_right_order_is_accepted(account: Account) -> None:
    stack = Stack(account)
    for step in ORDER:
        step(stack)


@pytest.mark.parametrize(
    ("missing", "step", "code"),
    [
        (Stack.database, Stack.service, 10181),
        (Stack.class_migration, Stack.client, 10143),
        (Stack.client, Stack.workflow, 10007),
        (Stack.client, Stack.subdomain, 10007),
        (Stack.workflow, Stack.service, 10200),
    ],
)
def test_a_step_without_its_dependency_is_refused(
    account: Account,
    missing: Callable[[Stack], None],
    step: Callable[[Stack], None],
    code: int,
) -> None:
    stack = Stack(account)
    for earlier in ORDER[: ORDER.index(step)]:
        if earlier is not missing and _works_without(earlier, missing):
            earlier(stack)
    with pytest.raises(AssertionError, match=rf"'code': {code}\b"):
        step(stack)


def _works_without(step: Callable[[Stack], None], missing: Callable[[Stack], None]) -> bool:
    """Return whether a step works although another step is missing."""
    below: dict[Callable[[Stack], None], set[Callable[[Stack], None]]] = {
        Stack.client: {Stack.class_migration},
        Stack.workflow: {Stack.class_migration, Stack.client},
        Stack.service: {Stack.database, Stack.class_migration, Stack.client, Stack.workflow},
        Stack.subdomain: {Stack.class_migration, Stack.client},
    }
    return missing not in below.get(step, set())


def test_the_service_is_not_deleted_before_its_client(account: Account) -> None:
    stack = Stack(account)
    for step in ORDER:
        step(stack)
    refused = account.expect_refusal("DELETE", "/workers/scripts/service")
    assert (refused.status, refused.errors[0][0]) == (400, 10142)
    account.call("DELETE", "/workflows/flow")
    account.call("DELETE", "/workers/scripts/client")
    account.call("DELETE", "/workers/scripts/service")
    account.call("DELETE", f"/d1/database/{stack.uuid}")
