"""The generated reference pages say what the code says.

`make docs` rewrites them; the diff is what a reviewer reads.
"""

import json
import os
import re
from pathlib import Path

import pytest

from flowflare.config import reference
from flowflare.fleet import status as fleet_status
from flowflare.fleet.preview import preview as fleet_preview
from flowflare.fleet.tenants import schema as tenants
from flowflare.review import document, report
from flowflare.review.drift import model as drift
from tests.docs.generate_cli import cli_page
from tests.docs.generate_emulator_coverage import coverage_page
from tests.docs.generate_errors import errors_page
from tests.docs.generate_fleet_events import fleet_events_page
from tests.docs.generate_outputs import outputs_page
from tests.docs.generate_runtime_coverage import runtime_coverage_page

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def matches(name: str, generated: str) -> None:
    page = DOCS / name
    text = generated.rstrip() + "\n"
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text, "run: make docs"


def test_commands() -> None:
    matches("cli.md", cli_page())


def test_configuration() -> None:
    matches("configuration.md", reference.reference_page())


def test_schema_for_editors() -> None:
    matches("flowflare.schema.json", json.dumps(reference.json_schema(), indent=2))


def test_schema_of_previews() -> None:
    matches("flowflare.plan.schema.json", json.dumps(document.json_schema(), indent=2))


def test_schema_of_reports() -> None:
    matches("flowflare.report.schema.json", json.dumps(report.json_schema(), indent=2))


def test_schema_of_drift() -> None:
    matches("flowflare.drift.schema.json", json.dumps(drift.json_schema(), indent=2))


def test_schema_of_tenants() -> None:
    matches("flowflare.tenants.schema.json", json.dumps(tenants.json_schema(), indent=2))


def test_schema_of_fleet_previews() -> None:
    text = json.dumps(fleet_preview.json_schema(), indent=2)
    matches("flowflare.fleet-preview.schema.json", text)


def test_schema_of_fleet_status() -> None:
    matches("flowflare.fleet-status.schema.json", json.dumps(fleet_status.json_schema(), indent=2))


def test_fleet_events() -> None:
    matches("fleet-events.md", fleet_events_page())


def test_errors() -> None:
    matches("errors.md", errors_page())


def test_emulator_coverage(tmp_path: Path) -> None:
    matches("emulator-coverage.md", coverage_page(tmp_path))


def test_runtime_coverage() -> None:
    matches("runtime-coverage.md", runtime_coverage_page())


def test_outputs(example: Path) -> None:
    matches("outputs.md", outputs_page())


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_a_link_leads_somewhere(name: str) -> None:
    links = LINK.findall((ROOT / name).read_text(encoding="utf-8"))
    inside = [link.partition("#")[0] for link in links if "://" not in link]
    assert not [link for link in inside if link and not (ROOT / link).exists()]


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        seen.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8")))
        inside = ((page.parent / link).resolve() for link in links if link.endswith(".md"))
        ahead += [one for one in inside if one not in seen]
    assert sorted(DOCS.glob("*.md")) == sorted(one for one in seen if one.parent == DOCS)
