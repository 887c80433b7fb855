"""Mistakes in the files and the environment of a stack, with canaries in the wrong places.

Each function spoils a stack of a project and returns the variables that spoil it further.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.canaries.planted import CLI, Planted


def wrong_passphrase(planted: Planted, stack: str) -> dict[str, str]:
    del stack
    return {"PULUMI_CONFIG_PASSPHRASE": planted.canaries.plant("another passphrase")}


def no_passphrase(planted: Planted, stack: str) -> dict[str, str]:
    del stack
    missing = planted.root.parent / "elsewhere" / "missing"
    return {"PULUMI_CONFIG_PASSPHRASE_FILE": str(missing)}


def a_token_with_a_line_break(planted: Planted, stack: str) -> dict[str, str]:
    token = planted.canaries.values["token"] + "\n"
    planted.write_config(stack, cloudflare__apiToken=planted.seal(token), **engine_of(stack))
    return {}


def an_api_key_with_a_line_break(planted: Planted, stack: str) -> dict[str, str]:
    del stack
    return {"FLOWFLARE_API_KEY": f"{planted.canaries.plant('an API key')}\n"}


def an_unsealed_value(planted: Planted, stack: str) -> dict[str, str]:
    text = planted.canaries.plant("an unsealed value")
    return write_secret(planted, stack, {"secure": text})


def a_value_cut_short(planted: Planted, stack: str) -> dict[str, str]:
    sealed = planted.seal(planted.canaries.plant("a value cut short"))["secure"]
    return write_secret(planted, stack, {"secure": sealed[:-9]})


def a_value_of_another_version(planted: Planted, stack: str) -> dict[str, str]:
    sealed = planted.seal(planted.canaries.plant("a value of another version"))["secure"]
    return write_secret(planted, stack, {"secure": sealed.replace("v1:", "v3:")})


def a_list_as_a_value(planted: Planted, stack: str) -> dict[str, str]:
    return write_secret(planted, stack, {"secure": [planted.canaries.plant("a list")]})


def a_secret_as_plain_text(planted: Planted, stack: str) -> dict[str, str]:
    return write_secret(planted, stack, planted.canaries.plant("plain text"))


def another_salt(planted: Planted, stack: str) -> dict[str, str]:
    return replace_everywhere(planted, stack, planted.vault.salt[3:9], "AAAAAA")


def a_salt_that_is_none(planted: Planted, stack: str) -> dict[str, str]:
    return replace_everywhere(planted, stack, planted.vault.salt, planted.canaries.plant("a salt"))


def broken_yaml(planted: Planted, stack: str) -> dict[str, str]:
    file = planted.stack_file(stack)
    text = planted.canaries.plant("in broken YAML")
    file.write_text(f"{file.read_text().rstrip()[:-1]}\n  secure: v1:{text}: *{text}: [")
    return {}


def a_state_cut_short(planted: Planted, stack: str) -> dict[str, str]:
    file = planted.state_file(stack)
    text = file.read_text()
    file.write_text(text[: text.rindex('"ciphertext"') + 40])
    return {}


def a_state_with_texts_for_lists(planted: Planted, stack: str) -> dict[str, str]:
    file = planted.state_file(stack)
    raw = json.loads(file.read_text())
    text = planted.canaries.plant("for a list")
    raw["checkpoint"]["latest"]["resources"][0]["dependencies"] = text
    raw["checkpoint"]["latest"]["resources"][3]["customTimeouts"] = {"create": text}
    file.write_text(json.dumps(raw))
    return {}


def a_state_of_another_version(planted: Planted, stack: str) -> dict[str, str]:
    file = planted.state_file(stack)
    raw = json.loads(file.read_text())
    text = planted.canaries.plant("for a version")
    file.write_text(json.dumps({**raw, "version": text, "features": [text]}))
    return {}


def a_state_of_another_provider(planted: Planted, stack: str) -> dict[str, str]:
    file = planted.state_file(stack)
    raw = json.loads(file.read_text())
    text = planted.canaries.plant("for a provider of secrets")
    raw["checkpoint"]["latest"]["secrets_providers"] = {"type": text, "state": {"salt": text}}
    file.write_text(json.dumps(raw))
    return {}


def write_secret(planted: Planted, stack: str, value: Any) -> dict[str, str]:
    """Replace a client's secret by a value."""
    overrides = {"orders": {"secrets": {"CONFIGURED": value}}}
    planted.write_config(stack, flowflare__clientOverrides=overrides, **engine_of(stack))
    return {}


def replace_everywhere(planted: Planted, stack: str, old: str, new: str) -> dict[str, str]:
    for file in (planted.state_file(stack), planted.stack_file(stack)):
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, json.dumps(new)[1:-1]))
    return {}


def engine_of(stack: str) -> dict[str, str]:
    return {} if stack == CLI else {"flowflare__engine": "embedded"}


TROUBLES: dict[str, Callable[[Planted, str], dict[str, str]]] = {
    trouble.__name__.replace("_", " "): trouble
    for trouble in (
        wrong_passphrase,
        no_passphrase,
        a_token_with_a_line_break,
        an_api_key_with_a_line_break,
        an_unsealed_value,
        a_value_cut_short,
        a_value_of_another_version,
        a_list_as_a_value,
        a_secret_as_plain_text,
        another_salt,
        a_salt_that_is_none,
        broken_yaml,
        a_state_cut_short,
        a_state_with_texts_for_lists,
        a_state_of_another_version,
        a_state_of_another_provider,
    )
}
