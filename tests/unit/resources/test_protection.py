"""`flowflare:allowDataLoss` may name exactly the resources that the program protects."""

import json
from pathlib import Path

import pytest

from flowflare.config.load import load_stack
from flowflare.errors import ConfigError
from flowflare.render.worker import RenderedStack, RenderedWorker
from flowflare.resources import FlowflareStack
from flowflare.resources.protection import check_data_loss, list_holding_data
from tests.unit.resources.recording_monitor import record

CLIENTS = {
    "plain": {"source": "a.js"},
    "mails": {
        "source": "b.js",
        "databases": {"MAIL_ARCHIVE": {}, "LOG": {}},
        "durableObjects": {"OUTBOX": {"className": "Outbox"}},
        "classMigrations": [{"tag": "v1", "newSqliteClasses": ["Outbox"]}],
    },
}
CONFIG = {
    "flowflare:accountId": "f10f1a4ef10f1a4ef10f1a4ef10f1a4e",
    "flowflare:clients": json.dumps(CLIENTS),
}
NAMES = [
    "a-mails-class-migrations",
    "a-mails-log-database",
    "a-mails-mail-archive-database",
    "a-mails-script",
    "a-service-class-migrations",
    "a-service-database",
    "a-service-script",
]


def test_the_names_are_those_of_the_protected_resources() -> None:
    spec = load_stack(CONFIG, project="shop", stack="dev")
    code = RenderedWorker("any", "worker.js", "export class Outbox {}", "0" * 64, ("Outbox",))
    rendered = RenderedStack(service=code, clients=dict.fromkeys(CLIENTS, code))
    monitor = record(lambda: FlowflareStack("a", spec=spec, rendered=rendered), config={})
    assert sorted(resource.name for resource in monitor.declared if resource.protect) == NAMES
    assert sorted(list_holding_data("a", spec)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_protected_resource_may_lose_data_if_a_reason_is_given(
    name: str, tmp_path: Path
) -> None:
    config = CONFIG | {"flowflare:allowDataLoss": json.dumps({name: "a test"})}
    spec = load_stack(config, project="shop", stack="dev")
    check_data_loss("a", spec, tmp_path)
    wrong = spec.model_copy(update={"allow_data_loss": {f"{name}s": "a test"}})
    with pytest.raises(ConfigError, match=f"Did you mean `{name}`"):
        check_data_loss("a", wrong, tmp_path)
