"""Which bindings a stack's Workers have."""

from flowflare.config.load import load_stack
from flowflare.kinds.bindings.binding import Binding
from flowflare.kinds.bindings.workers import list_client_bindings, list_service_bindings

CLIENTS = """{
  "orders": {"source": "a.js", "workflows": {"refund": {"className": "R"}},
             "variables": {"ALPHA": "1", "ZULU": "2"}},
  "mails": {"source": "b.js"}
}"""


def bindings_of_the_stack() -> dict[str, tuple[Binding, ...]]:
    values = {"flowflare:accountId": "f" * 32, "flowflare:clients": CLIENTS}
    spec = load_stack(values, project="shop", stack="dev")
    service = spec.service.script_name
    clients = {client.script_name: list_client_bindings(client, service) for client in spec.clients}
    return {service: list_service_bindings(spec.clients)} | clients


def test_every_script_has_its_bindings_sorted_by_name() -> None:
    found = bindings_of_the_stack()
    names = {script: [binding.name for binding in bindings] for script, bindings in found.items()}
    assert names == {
        "dev-flowflare-service": ["DB", "REFUND", "SERVICE_API_KEY", "WORKFLOW_TRACKER"],
        "dev-flowflare-mails": ["WORKFLOW_API_KEY", "WORKFLOW_SERVICE", "WORKFLOW_TRACKER"],
        "dev-flowflare-orders": [
            "ALPHA",
            "REFUND",
            "WORKFLOW_API_KEY",
            "WORKFLOW_SERVICE",
            "WORKFLOW_TRACKER",
            "ZULU",
        ],
    }


def test_a_workflow_names_its_script_only_in_the_service() -> None:
    found = bindings_of_the_stack()
    refund = {
        script: binding.model_dump(exclude_none=True)
        for script, bindings in found.items()
        for binding in bindings
        if binding.name == "REFUND"
    }
    own = {
        "name": "REFUND",
        "type": "workflow",
        "workflow_name": "dev-flowflare-refund",
        "class_name": "R",
    }
    assert refund == {
        "dev-flowflare-orders": own,
        "dev-flowflare-service": own | {"script_name": "dev-flowflare-orders"},
    }
