"""`make test` leaves out the tests marked `long`, and still runs a slice of every kind of test."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
#: Each of these files is one story that takes a minute; `make test-all` alone runs it.
LONG_FILES = {
    "e2e/test_adopt_everything.py",
    "engine/test_cli_fleet.py",
    "e2e/test_adopt_wrangler.py",
    "e2e/test_assets.py",
    "e2e/test_talkative_program.py",
    "emulator/test_terraform.py",
    "emulator/test_wrangler_ledger.py",
    "house/test_cloudflare_stub.py",
    "canaries/test_cli_stack.py",
    "cli/test_rendered_for_wrangler.py",
    "e2e/test_adopt_pulumi_cli.py",
    "e2e/test_pulumi_cli.py",
    "e2e/test_rotation_killed.py",
    "engine/test_cli_cloudflare.py",
    "engine/test_pulumi_cli.py",
    "fleet/test_bucket.py",
    "fleet/test_life.py",
    "fleet/test_pulumi_cli.py",
    "fleet/test_rollout.py",
    "fleet/test_talkative_program.py",
    "state/test_azure.py",
    "state/test_pulumi_cli.py",
}
#: Markers that do not name a kind of test.
OTHER_MARKERS = {"long", "timeout"}


@pytest.fixture
def fast(request: pytest.FixtureRequest) -> list[pytest.Item]:
    """The tests that `make test` runs."""
    config = request.config
    chosen = config.option.keyword or config.option.markexpr not in ("", "not long")
    if chosen or [ROOT / arg for arg in config.args] != [TESTS]:
        pytest.skip("only some of the tests were collected")
    return [item for item in request.session.items if not item.get_closest_marker("long")]


def test_every_file_keeps_a_test_in_make_test(fast: list[pytest.Item]) -> None:
    kept = {item.path.relative_to(TESTS).as_posix() for item in fast}
    files = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    assert sorted(files - kept) == sorted(LONG_FILES)


def test_every_marker_keeps_a_test_in_make_test(fast: list[pytest.Item]) -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    registered = pyproject["tool"]["pytest"]["ini_options"]["markers"]
    kinds = {line.split(":")[0].split("(")[0] for line in registered} - OTHER_MARKERS
    assert kinds <= {mark.name for item in fast for mark in item.iter_markers()}
