"""The reference page and the JSON Schema for editors agree with the schema."""

from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from flowflare.config.files import read_project
from flowflare.config.schema import ClientConfig, NamesConfig, StackConfig, WorkflowConfig
from tests.docs.generate_configuration import configuration_page
from tests.docs.generate_schemas import configuration_schema

GOLDEN = sorted((Path(__file__).parent.parent.parent / "golden" / "cases").iterdir())
ROOT = Path(__file__).parent.parent.parent.parent


def test_every_key_is_on_the_page_with_its_description() -> None:
    page = configuration_page()
    for model in (StackConfig, ClientConfig, NamesConfig, WorkflowConfig):
        for name, field in model.model_fields.items():
            assert field.description
            assert field.description.replace("|", "\\|") in page
            assert f"{field.alias or name}`" in page


def test_a_row_describes_the_values_of_a_key() -> None:
    rows = configuration_page().splitlines()
    assert (
        "| `flowflare:engine` | `embedded` or `pulumi` | `pulumi` | The engine of the stack: "
        "`embedded`, which only calls an API on this machine, or the Pulumi CLI. |"
    ) in rows
    starts = [row.split(" | ")[:3] for row in rows if row.startswith("| `")]
    assert ["| `flowflare:accountId`", "text", "required"] in starts
    assert ["| `flowflare:allowedOrigins`", "a list of text", ""] in starts
    assert ["| `flowflare:clients`", "a mapping of names to mappings", ""] in starts
    assert ["| `crons`", "a list of text", ""] in starts
    assert ["| `routes`", "a list of mappings", ""] in starts
    assert ["| `flowflare:protect`", "true or false", "`true`"] in starts


def test_the_schema_for_editors_has_the_keys_of_this_project() -> None:
    schema = configuration_schema()
    config = schema["properties"]["config"]
    used = {key for key in read_project(ROOT, "local").values if key.startswith("flowflare:")}
    assert used <= set(config["properties"])
    assert config["additionalProperties"] is False
    [plain, under_value] = config["properties"]["flowflare:debug"]["anyOf"]
    assert plain["type"] == "boolean"
    assert under_value["properties"]["value"] == plain
    assert "ClientConfig" in schema["$defs"]


@pytest.fixture(scope="module")
def editor() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(configuration_schema())


@pytest.mark.parametrize("case", [case for case in GOLDEN if case.name.startswith("client_bind")])
def test_the_schema_for_editors_accepts_every_binding(
    case: Path, editor: jsonschema_rs.Draft202012Validator
) -> None:
    config = yaml.safe_load((case / "Pulumi.dev.yaml").read_text())
    assert [error.message for error in editor.iter_errors(config)] == []


def test_the_schema_for_editors_refuses_a_wrong_field(
    editor: jsonschema_rs.Draft202012Validator,
) -> None:
    binding = {"type": "kv_namespace", "id": "x"}
    clients = {"orders": {"source": "a.js", "bindings": {"CACHE": binding}}}
    assert list(editor.iter_errors({"config": {"flowflare:clients": clients}}))
