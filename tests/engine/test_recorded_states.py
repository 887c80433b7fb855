"""The engine reads states of the real CLI and of Cloudflare's plugin, and never quotes them."""

import copy
import json
from typing import Any

import pytest

from flowflare.engine.pulumi_cli.state import from_export
from flowflare.errors import FlowflareError
from flowflare.state.checkpoint import Deployment, read_checkpoint
from flowflare.values.properties import Secret, leaves, plain
from flowflare.values.show import shown_props
from flowflare.values.wire import SECRET, SIGNATURE
from tests.canaries.damage import damages
from tests.canaries.planting import find_secrets
from tests.canaries.search import Canaries
from tests.engine.recorded import (
    SHOP_TOKEN,
    find_record,
    open_vault,
    read_deployment,
    read_recorded,
    to_checkpoint,
)

STATES = ["1-first-up", "5-refresh"]


def find_bindings(deployment: Deployment, name: str) -> Any:
    [script] = [resource for resource in deployment.resources if resource.name == name]
    return script.inputs["bindings"]


def decrypt_everything(deployment: Deployment) -> None:
    for resource in deployment.resources:
        for props in (resource.inputs, resource.outputs):
            shown_props(props)
            plain(props)


@pytest.mark.parametrize("state", STATES)
def test_secrets_inside_a_secret_need_no_key(state: str) -> None:
    bindings = find_bindings(read_deployment(read_recorded(state)), "flowflare-orders-script")
    assert isinstance(bindings, Secret)
    by_name = {binding["name"]: binding for binding in bindings.value}
    assert isinstance(by_name["SHOP_TOKEN"]["text"], Secret)
    assert by_name["SHOP_TOKEN"]["text"].value == SHOP_TOKEN
    assert isinstance(by_name["MODE"]["text"], Secret)
    assert plain(bindings) == plain(bindings.value)
    assert {repr(leaf) for leaf in leaves(bindings)} == {"[secret]"}


@pytest.mark.parametrize("state", STATES)
def test_every_secret_of_a_recorded_state_decrypts(state: str) -> None:
    decrypt_everything(read_deployment(read_recorded(state)))


@pytest.mark.parametrize("inner", ["ciphertext", "plaintext"])
def test_an_export_with_plain_secrets_may_contain_either_form_inside(inner: str) -> None:
    """`pulumi stack export --show-secrets` decrypts inner secrets; older releases do not."""
    exported = copy.deepcopy(read_recorded("1-first-up"))
    vault = open_vault(exported)
    for secret in find_secrets(exported):
        text = vault.open_text(secret.pop("ciphertext"))
        secret["plaintext"] = json.dumps(replace_inner(json.loads(text), inner))
    bindings = find_bindings(from_export(exported), "flowflare-orders-script")
    assert SHOP_TOKEN in json.dumps(plain(bindings))


def replace_inner(value: Any, form: str) -> Any:
    if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
        return {SIGNATURE: SECRET, form: value["ciphertext"]}
    if isinstance(value, dict):
        return {key: replace_inner(item, form) for key, item in value.items()}
    return [replace_inner(item, form) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("damage", list(damages(open_vault(read_recorded("1-first-up")))))
@pytest.mark.parametrize("name", ["flowflare-orders-script", "default_6_23_1", "flowflare-rec"])
def test_no_message_quotes_a_secret_that_cannot_be_read(damage: str, name: str) -> None:
    exported = copy.deepcopy(read_recorded("1-first-up"))
    exported["deployment"]["resources"] = [find_record(exported, name)]
    vault, canaries = open_vault(exported), Canaries()
    damages(vault)[damage](next(find_secrets(exported)), canaries.plant("damaged"))
    with pytest.raises(FlowflareError) as raised:
        decrypt_everything(read_checkpoint(to_checkpoint(exported), vault))
    canaries.look(damage, f"{raised.value} {raised.value.message} {raised.value.remedy}")
    assert canaries.seen == []
