"""The generated reference pages say what the code says.

`make docs` rewrites them; the diff is what a reviewer reads.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.generate_architecture import architecture_page
from tests.docs.generate_changelog import changelog_page
from tests.docs.generate_cli import cli_page
from tests.docs.generate_configuration import configuration_page
from tests.docs.generate_emulator_coverage import coverage_page
from tests.docs.generate_errors import errors_page
from tests.docs.generate_fleet_events import fleet_events_page
from tests.docs.generate_outputs import outputs_page
from tests.docs.generate_runtime_coverage import runtime_coverage_page
from tests.docs.generate_schemas import (
    DOCUMENTS,
    configuration_schema,
    document_schema,
    tenants_schema,
)

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
FENCED = re.compile(r"^(`{3,}).*?^\1", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def matches(name: str, generated: str) -> None:
    page = DOCS / name
    text = generated.rstrip() + "\n"
    if os.environ.get("FLOWFLARE_REWRITE_GOLDEN"):
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text, "run: make docs"


def test_commands() -> None:
    matches("reference/cli.md", cli_page())


def test_architecture() -> None:
    matches("explanation/architecture.md", architecture_page())


def test_changelog() -> None:
    matches("reference/changelog.md", changelog_page())


def test_configuration() -> None:
    matches("reference/configuration.md", configuration_page())


def test_schemas_for_editors() -> None:
    schemas = {"flowflare": configuration_schema(), "flowflare.tenants": tenants_schema()}
    for name, schema in schemas.items():
        matches(f"reference/schemas/{name}.schema.json", json.dumps(schema, indent=2))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schema_of_a_command(name: str) -> None:
    schema = json.dumps(document_schema(*DOCUMENTS[name]), indent=2)
    matches(f"reference/schemas/flowflare.{name}.schema.json", schema)


def test_fleet_events() -> None:
    matches("reference/fleet-events.md", fleet_events_page())


def test_errors() -> None:
    matches("reference/errors.md", errors_page())


def test_emulator_coverage(tmp_path: Path) -> None:
    matches("reference/emulator-coverage.md", coverage_page(tmp_path))


def test_runtime_coverage() -> None:
    matches("reference/runtime-coverage.md", runtime_coverage_page())


def test_outputs(example: Path) -> None:
    matches("reference/outputs.md", outputs_page())


PAGES = sorted(DOCS.rglob("*.md"))
LINKED = [*(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")), *PAGES]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    inside = [link.partition("#")[0] for link in LINK.findall(text) if "://" not in link]
    assert not [link for link in inside if link and not (page.parent / link).exists()]


@pytest.mark.parametrize("start", ["README.md", "docs/index.md"])
def test_every_page_is_reached_from(start: str) -> None:
    seen: set[Path] = set()
    ahead = [ROOT / start]
    while ahead:
        page = ahead.pop()
        seen.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(page.read_text(encoding="utf-8")))
        inside = ((page.parent / link).resolve() for link in links if link.endswith(".md"))
        ahead += [link for link in inside if link not in seen]
    assert [page for page in PAGES if page not in seen and page != DOCS / "index.md"] == []


def test_the_site_lists_every_page_but_single_decisions() -> None:
    listed = set(re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text("utf-8")))
    pages = {str(page.relative_to(DOCS)) for page in PAGES}
    assert listed <= pages
    assert [page for page in pages - listed if "/decisions/0" not in page] == []


def test_the_site_is_built_strictly_and_asks_no_other_host(tmp_path: Path) -> None:
    config = (ROOT / "zensical.toml").read_text("utf-8")
    config = config.replace('"build/site"', '"site"')
    (tmp_path / "zensical.toml").write_text(config)
    shutil.copytree(DOCS, tmp_path / "docs")
    build = [sys.executable, "-m", "zensical", "build", "--strict", "-f", "zensical.toml"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = [page.read_text("utf-8") for page in (tmp_path / "site").rglob("*.html")]
    assert len(pages) > len(PAGES) // 2
    loaded = re.compile(
        r"<(?:script|img|iframe)[^>]*src=\"?https?:|<link[^>]*rel=\"?(?:stylesheet|preconnect)\"?[^>]*https?:"
    )
    assert [page[:200] for page in pages if loaded.search(page)] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_an_example_of_clients_has_the_form_of_pulumi_yaml(page: Path) -> None:
    below = re.findall(r"flowflare:clients:\n\s+(\S+):", page.read_text("utf-8"))
    assert set(below) <= {"value"}


def test_the_tutorial_says_what_to_do_when_the_port_is_taken() -> None:
    starter = (ROOT / "templates/starter/Pulumi.local.yaml.j2").read_text("utf-8")
    (port,) = re.findall(r"baseUrl: http://127.0.0.1:(\d+)/", starter)
    tutorial = (ROOT / "docs/tutorial/index.md").read_text("utf-8")
    assert f"port {port}. If another program already uses this port" in tutorial
