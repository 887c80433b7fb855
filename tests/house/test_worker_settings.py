"""Cloudflare's provider, which uploads scripts on the Pulumi CLI, knows every setting of a Worker.

The provider drops fields that it does not know, so such a setting would reach an account on the
embedded engine only.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from flowflare.kinds.script_assets.settings import AssetsConfig
from flowflare.kinds.workers_script.settings import SETTINGS, ScriptSettings
from tests.house.generate_cloudflare_stub import stub

SPEC = find_spec("pulumi_cloudflare")
REMEDY = (
    "{} of pulumi_cloudflare has no `{}`, so the Pulumi CLI would drop the setting. Wait until the "
    "provider has it, or upload it by a dynamic kind, as `kinds/script_bindings` does."
)


def list_arguments() -> set[str]:
    """List the arguments of `WorkersScript`."""
    module = ast.parse(stub())
    [script] = [
        node
        for node in module.body
        if isinstance(node, ast.ClassDef) and node.name == "WorkersScript"
    ]
    [made] = [
        node
        for node in script.body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    ]
    return {argument.arg for argument in made.args.kwonlyargs}


def list_fields(source: str, name: str) -> set[str]:
    """List the fields of one of the provider's types for arguments."""
    found = re.search(rf"^class {name}:\n(.*?)(?=^@|^class |\Z)", source, re.DOTALL | re.MULTILINE)
    return (
        set(re.findall(r"^    def (?!__)(\w+)\(self\)", found.group(1), re.M)) if found else set()
    )


def list_nested(type_: Any) -> Iterator[type[BaseModel]]:
    """List the models inside a field's type."""
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        yield type_
    for inner in get_args(type_):
        yield from list_nested(inner)


def list_paths(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    """List the fields below a setting, with the provider's type that must have them."""
    for name, field in model.model_fields.items():
        yield prefix, name
        for inner in list_nested(field.annotation):
            yield from list_paths(inner, prefix + to_camel(name))


def to_camel(name: str) -> str:
    """Spell a setting as the provider's types do: `tail_consumers` is `TailConsumer`."""
    singular = name.removesuffix("s") if name.endswith("rs") else name
    return "".join(word.capitalize() for word in singular.split("_"))


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_provider_has_every_setting(setting: str) -> None:
    assert setting in list_arguments(), REMEDY.format("WorkersScript", setting)
    assert SPEC is not None
    assert SPEC.origin is not None
    source = Path(SPEC.origin).with_name("_inputs.py").read_text()
    for model in list_nested(ScriptSettings.model_fields[setting].annotation):
        for type_, name in list_paths(model, f"WorkersScript{to_camel(setting)}"):
            assert name in list_fields(source, f"{type_}Args"), REMEDY.format(type_, name)


def test_the_provider_has_every_setting_of_static_assets() -> None:
    assert SPEC is not None
    assert SPEC.origin is not None
    source = Path(SPEC.origin).with_name("_inputs.py").read_text()
    ours = {*AssetsConfig(directory="public").to_wire(), "headers", "redirects"}
    assert ours <= list_fields(source, "WorkersScriptAssetsConfigArgs")


def test_a_setting_that_the_provider_lacks_is_named() -> None:
    assert "cache" not in list_arguments()
    assert "has no `cache`" in REMEDY.format("WorkersScript", "cache")
