"""Every wrangler.jsonc of the golden cases is valid by wrangler's own schema."""

import json
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest

ROOT = Path(__file__).parent.parent.parent.parent
FILES = sorted((ROOT / "tests/golden").rglob("*.wrangler.jsonc"))


@cache
def wranglers() -> jsonschema_rs.Draft7Validator:
    schema = json.loads((ROOT / "node_modules/wrangler/config-schema.json").read_text())
    return jsonschema_rs.Draft7Validator(schema)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}-{file.name}")
def test_wranglers_schema_accepts_the_file(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("//")]
    config = json.loads("\n".join(lines))
    assert [error.message[:200] for error in wranglers().iter_errors(config)] == []
