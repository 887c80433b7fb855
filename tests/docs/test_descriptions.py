"""Every command, option, key, error and output has a description, which is on its page."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from flowflare.config import schema
from tests.docs.generate_cli import cli_page, contexts
from tests.docs.generate_configuration import configuration_page
from tests.docs.generate_emulator_coverage import (
    coverage_page,
    emulator_operations,
    refusals,
    sdk_operations,
)
from tests.docs.generate_errors import error_classes, errors_page
from tests.docs.generate_outputs import MEANINGS, read_outputs
from tests.docs.generate_schemas import configuration_schema

COMMANDS = list(contexts())
KEYS = [
    (field.alias or name, field)
    for model in vars(schema).values()
    if isinstance(model, type) and issubclass(model, BaseModel)
    for name, field in model.model_fields.items()
]


@pytest.mark.parametrize("context", COMMANDS, ids=lambda context: context.command_path)
def test_a_command_and_its_options_are_described(context: Any) -> None:
    command, path = context.command, context.command_path
    assert command.help, "no help"
    section = cli_page().partition(f"\n## {path}\n")[2].partition("\n## ")[0]
    for parameter in command.get_params(context):
        assert parameter.help, f"{parameter.name} has no help"
        spelled = [*parameter.opts, *parameter.secondary_opts]
        if parameter.param_type_name == "argument":
            spelled = [parameter.metavar]
        assert all(spelling in section for spelling in spelled), parameter.name


@pytest.mark.parametrize(("key", "field"), KEYS, ids=[key for key, _ in KEYS])
def test_a_configuration_key_is_described(key: str, field: Any) -> None:
    assert field.description
    assert f"{key}` |" in configuration_page()
    assert json.dumps(field.description) in json.dumps(configuration_schema())


def test_an_error_class_is_described() -> None:
    text = errors_page()
    for kind, _ in error_classes():
        first = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0]
        assert "__doc__" in vars(kind), kind
        assert vars(kind)["__doc__"], kind
        assert f"`{kind.__name__}` | {kind.exit_code} | {first} |" in text


def test_the_list_of_errors_in_the_module_is_its_tree() -> None:
    from flowflare import errors

    listed = re.findall(r"^( *)\* (\w+)", errors.__doc__ or "", re.MULTILINE)
    tree = [("  " * depth, kind.__name__) for kind, depth in error_classes()]
    assert sorted(listed) == sorted(tree)


def test_an_operation_of_the_emulator_is_on_its_page(tmp_path: Path) -> None:
    text, known = coverage_page(tmp_path), sdk_operations()
    for operation, path in emulator_operations(tmp_path).items():
        shown = known[operation].path if operation in known else path
        assert f"`{operation.method} {shown}`" in text


def test_a_refusal_is_described(tmp_path: Path) -> None:
    text = coverage_page(tmp_path)
    found = list(refusals())
    assert len(found) > 30
    for refusal, when, _ in found:
        assert when
        assert all(f"| {problem.code} | {refusal.status} |" in text for problem in refusal.problems)


def test_an_output_is_described(example: Path) -> None:
    assert read_outputs().keys() == MEANINGS.keys()
    assert [name for name, secret in read_outputs().items() if secret] == ["api_key"]
