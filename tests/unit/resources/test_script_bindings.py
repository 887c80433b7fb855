"""Bindings that Cloudflare's provider does not support, and the provider that uploads them."""

from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pydantic import BaseModel

from flowflare.kinds.bindings.arguments import list_unsupported, make_script_bindings
from flowflare.kinds.bindings.binding import BindingValues, BoundBinding
from flowflare.kinds.bindings.registry import BINDING_SCHEMAS
from flowflare.resources.providers import ScriptBindingsProvider
from tests.unit.fake_api import ACCOUNT, TOKEN, FakeApi, Script

LOADER = {"name": "LOADER", "type": "worker_loader", "depth": 2.0}


def props(*bindings: dict[str, Any]) -> dict[str, Any]:
    return {
        "account_id": ACCOUNT,
        "script_name": "orders",
        "main_module": "worker.js",
        "content": "export default {};",
        "compatibility_date": "2026-11-01",
        "compatibility_flags": [],
        "bindings": list(bindings),
    }


@pytest.fixture
def provider(api: FakeApi) -> ScriptBindingsProvider:
    made = ScriptBindingsProvider()
    config = {"cloudflare:baseUrl": api.base_url, "cloudflare:apiToken": TOKEN}
    made.configure(ConfigureRequest(Config(config, "flowflare")))
    return made


def test_a_missing_script_is_uploaded_with_these_bindings_alone(
    provider: ScriptBindingsProvider, api: FakeApi
) -> None:
    made = provider.create(props(LOADER))
    assert api.scripts["orders"].content == "export default {};"
    # A whole number is sent as an integer, although every number became a float on the way here.
    bindings = api.scripts["orders"].metadata["bindings"]
    assert repr(bindings) == "[{'name': 'LOADER', 'type': 'worker_loader', 'depth': 2}]"
    assert made.outs == {"account_id": ACCOUNT, "script_name": "orders", "bindings": [LOADER]}


def test_an_existing_script_keeps_every_other_binding(
    provider: ScriptBindingsProvider, api: FakeApi
) -> None:
    text = {"name": "TEXT", "type": "plain_text", "text": "kept"}
    api.scripts["orders"] = Script(metadata={"bindings": [text, LOADER]}, content="old")
    provider.update("x", props(LOADER), props(LOADER | {"depth": 3}))
    assert api.scripts["orders"].metadata["bindings"] == [text, LOADER | {"depth": 3}]
    assert api.scripts["orders"].content == "old"


def test_a_binding_that_was_removed_elsewhere_is_noticed(
    provider: ScriptBindingsProvider, api: FakeApi
) -> None:
    made = provider.create(props(LOADER))
    assert provider.read(made.id, dict(made.outs or {})).id == made.id
    api.scripts["orders"].metadata["bindings"] = []
    assert provider.read(made.id, dict(made.outs or {})).id == ""
    del api.scripts["orders"]
    assert provider.read(made.id, dict(made.outs or {})).id == ""


def test_only_other_bindings_or_another_script_are_a_change() -> None:
    diff = ScriptBindingsProvider().diff
    assert diff("x", props(LOADER), props(LOADER) | {"content": "new"}).changes is False
    assert diff("x", props(LOADER), props()).changes is True
    assert diff("x", props(LOADER), props(LOADER) | {"script_name": "b"}).replaces == [
        "script_name"
    ]


def bind(kind: str, model: type[BaseModel], *extra: str) -> BoundBinding:
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    fields = dict.fromkeys({*required, *extra} - {"type"})
    return BoundBinding(name="X", type=kind, fields=fields, secrets={})


def test_the_documentation_of_the_provider_is_right() -> None:
    known = {kind: bind(kind, model) for kind, model in BINDING_SCHEMAS.items() if kind != "json"}
    assert [binding.type for binding in list_unsupported(known.values())] == ["tail_consumer"]
    optional = [
        (kind, name)
        for kind, model in BINDING_SCHEMAS.items()
        for name in model.model_fields
        if kind not in ("json", "tail_consumer")
        and list_unsupported([bind(kind, BINDING_SCHEMAS[kind], name)])
    ]
    assert optional == [
        ("queue", "delivery_delay"),
        ("service", "props"),
        ("service", "cross_account_grant"),
    ]


def test_the_script_inherits_unsupported_bindings() -> None:
    new = BoundBinding(name="NEW", type="thing_of_tomorrow", fields={"a": 1}, secrets={})
    [argument] = make_script_bindings([new], BindingValues())
    assert (argument.name, argument.type) == ("NEW", "inherit")
