"""`flowflare docs` and `flowflare schema` print pages and schemas of the package."""

import json
from pathlib import Path

import pytest

from tests.cli.command import flowflare

DOCS = Path(__file__).parents[2] / "docs"
PARTS = ("tutorial", "how-to", "reference", "explanation")
PAGES = {file.stem for part in PARTS for file in (DOCS / part).glob("*.md")} - {"index"}
SCHEMAS = ("config", "drift", "fleet-preview", "fleet-status", "plan", "report", "tenants")


def test_every_page_is_listed_by_name_and_title() -> None:
    listed = json.loads(flowflare("docs", "--json").out)
    assert {page["page"] for page in listed} == PAGES | {"tutorial"}
    assert {"page": "secrets", "title": "Secrets"} in listed
    lines = flowflare("docs").out.splitlines()
    assert [line for line in lines if line.startswith("secrets ")] == [f"{'secrets':<24} Secrets"]


def test_a_page_is_printed_as_markdown_where_no_terminal_formats_it() -> None:
    text = (DOCS / "how-to" / "deploy.md").read_text("utf-8")
    assert flowflare("docs", "deploy").out == text
    assert json.loads(flowflare("docs", "deploy", "--json").out) == {
        "page": "deploy",
        "markdown": text,
    }


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("docs", "secrts"), "Did you mean `secrets`?"),
        (("docs", "../../pyproject"), "The pages are: "),
        (("schema", "plann"), "Did you mean `plan`?"),
        (("schema", "../../pyproject"), "The schemas are: "),
    ],
)
def test_an_unknown_name_is_wrong_usage(words: tuple[str, ...], remedy: str) -> None:
    said = flowflare(*words)
    assert (said.code, said.out) == (2, "")
    assert remedy in " ".join(said.err.split())


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_printed_as_json(name: str) -> None:
    printed = json.loads(flowflare("schema", name).out)
    assert printed["$schema"].startswith("https://json-schema.org/")
    assert name in flowflare("schema").out.splitlines()
    assert json.loads(flowflare("schema", "--json").out) == sorted(SCHEMAS)
