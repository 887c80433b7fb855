"""The rules of this house that no linter knows."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.house.syntax import parse

pytestmark = pytest.mark.xdist_group("syntax")  # one worker parses the modules

ROOT = Path(__file__).parent.parent.parent
SOURCE = {".py", ".js", ".mjs", ".ts", ".j2", ".sql"}
TEXT = SOURCE | {".md", ".yaml", ".yml", ".toml", ".json", ".lock", ".txt", ""}
VAGUE = re.compile(r"(^|_|-)(utils?|helpers?|managers?|common|misc)(_|-|\.|$)")
FOREIGN = re.compile(
    r"https?://[\w.-]*(pypi|npmjs|npm\.|registry)[\w.-]*/|/root/|/home/\w+/|/usr/local/\w+/python"
)


def committed() -> list[Path]:
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listing.stdout.splitlines() if (path := ROOT / name).is_file()]


FILES = committed()
PYTHON = [path for path in FILES if path.suffix == ".py"]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_source_file_is_a_small_room() -> None:
    long = {
        relative(path): lines
        for path in FILES
        if path.suffix in SOURCE and not {"samples", "released"} & set(path.parts)
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_no_file_name_is_vague() -> None:
    assert not [relative(path) for path in FILES if VAGUE.search(path.name)]


def test_every_module_says_its_job_in_its_first_sentence() -> None:
    without = {
        relative(path): first
        for path in PYTHON
        # Programs that a test runs are read by Pulumi, not by people.
        if "programs" not in path.parts
        if not (first := first_sentence(path)).endswith((".", "!", "?", ":"))
    }
    assert not without


def first_sentence(path: Path) -> str:
    docstring = ast.get_docstring(parse(path)) or "no docstring"
    return docstring.split("\n\n")[0].rstrip()


def test_no_committed_file_names_a_registry_or_a_path_of_a_machine() -> None:
    found = {
        relative(path): match.group()
        for path in FILES
        if path.suffix in TEXT and path != Path(__file__)
        if (match := FOREIGN.search(path.read_text(errors="replace")))
    }
    assert not found


def test_every_package_has_a_layer() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    packages = [path.parent.name for path in (ROOT / "infra/flowflare").glob("*/__init__.py")]
    assert not [name for name in packages if f"flowflare.{name}" not in pyproject]


#: Files that read only what Flowflare itself or the kernel wrote just now, with what they call.
OWN_TEXT = {
    "infra/flowflare/reading/json_text.py": {"json.loads"},
    "infra/flowflare/kinds/workers_script/apply.py": {"json.loads"},
    "infra/flowflare/review/recording_process.py": {"json.loads"},
    "infra/flowflare/review/isolation.py": {"json.loads"},
    "infra/flowflare/fleet/workers/worker.py": {"json.loads", ".read_text"},
    "infra/flowflare/fleet/workers/words.py": {"json.loads"},
    "infra/flowflare/fleet/workers/worker_process.py": {"json.loads", ".read_text"},
    "infra/flowflare/fleet/exports/exporter.py": {".read_bytes"},
    "infra/flowflare/engine/pulumi_cli/children.py": {".read_bytes", ".read_text"},
    "infra/flowflare/state/holder.py": {".read_text"},
    "infra/flowflare/cli/command_table.py": {".read_text"},
    "infra/flowflare/cli/docs.py": {".read_text"},
    "infra/flowflare/starter/pin.py": {".read_text"},  # what pip recorded in this environment
    "infra/flowflare/kinds/sliced_module.py": {".read_text"},
    "infra/flowflare/kinds/cloudflare.py": {".read_text"},
}
UNBOUNDED = re.compile(r"json\.loads?(?=\()|yaml\.safe_load|\.read_text(?=\()|\.read_bytes(?=\()")


def test_what_others_wrote_is_read_within_bounds() -> None:
    package = ROOT / "infra" / "flowflare"
    found = {
        relative(path): sorted(set(calls) - OWN_TEXT.get(relative(path), set()))
        for path in PYTHON
        if path.is_relative_to(package) and not path.is_relative_to(package / "emulator")
        if (calls := UNBOUNDED.findall(path.read_text()))
    }
    unbounded = {path: calls for path, calls in found.items() if calls}
    assert not unbounded, "use flowflare.reading: read_text, read_bytes, parse_json"


#: Files of tests that may sleep, with what they sleep for.
SLEEPING = {
    "tests/support/waiting.py": "between two looks at what is waited for",
    "tests/engine/test_cli_stack.py": "a program that takes long",
    "tests/engine/test_interrupted.py": "a provider that takes long",
    "tests/review/test_diff.py": "a program that does not end",
    "tests/unit/fleet/test_pool.py": "an API that is slow",
    "tests/unit/fleet/forwarder/test_forwarder.py": "an API that answers in two parts",
    "tests/e2e/traffic.py": "callers that ask again and again",
    "tests/worker/test_ws_ticket.py": "until a ticket has expired",
    "tests/emulator/test_time_travel.py": "so that moments differ in the milliseconds of a clock",
    "tests/unit/api/test_budget.py": "on a clock of the test's own",
    "tests/unit/fleet/forwarder/test_budget.py": "on a loop with a clock of its own",
    "tests/unit/fleet/forwarder/virtual_time.py": "on a loop with a clock of its own",
}


def test_tests_wait_for_events_and_not_for_seconds() -> None:
    sleeping = {
        relative(path)
        for path in PYTHON
        if path.is_relative_to(ROOT / "tests") and path != Path(__file__)
        if re.search(r"(time|asyncio)\.sleep\(", path.read_text())
    }
    assert sleeping == set(SLEEPING), "use wait_until of tests/support/waiting.py"


#: Files of tests that name the port of a new project: as text, or in what was recorded.
DEFAULT_PORT = {
    "tests/cli/test_refusals.py",
    "tests/docs/generate_emulator_coverage.py",
    "tests/engine/recorded.py",
    "tests/unit/api/test_connector.py",
    "tests/unit/fleet/forwarder/test_addresses.py",
}


def test_tests_pass_in_a_checkout_that_uses_another_port() -> None:
    naming = {
        relative(path)
        for path in PYTHON
        if path.is_relative_to(ROOT / "tests") and path != Path(__file__)
        if "127.0.0.1:8780" in path.read_text() or '"8780"' in path.read_text()
    }
    assert naming - DEFAULT_PORT == set(), "use point_at of tests/ports.py"
