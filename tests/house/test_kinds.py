"""The kinds of resources: one list, every verb answered, nothing loaded before it is asked for."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from flowflare.kinds import contract
from flowflare.kinds.contract import Kind, NotSupported
from flowflare.kinds.registry import KINDS

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "infra/flowflare"
#: The fields of a kind that are verbs: annotated as such in the contract.
VERBS = [one.name for one in fields(Kind) if one.type is contract.Verb]
#: Modules outside of `kinds/` that name a type, each with the reason; it only ever shrinks.
NAMING_TYPES: dict[str, str] = {
    "state/cron_cleanups.py": "moves with the state's readers",
    "engine/pulumi_cli/lost_answers.py": "a name that is taken is one kind's",
    "review/policy": "policies",
    "fleet/exports/exporter.py": "exports",
    "fleet/tenants/checks.py": "the word for a name that two tenants share",
    "config/checks.py": "the word for a name that two clients share",
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_answers_a_verb_or_says_why_not(kind: Kind, verb: str) -> None:
    answer = getattr(kind, verb)

    if isinstance(answer, NotSupported):
        assert re.fullmatch(r"[A-Z`].{15,}\.", answer.why)
        assert contract._load(kind, verb) is None
    else:
        assert callable(contract._load(kind, verb))


def test_every_kind_registers_itself_with_pulumi() -> None:
    assert not [kind.name for kind in KINDS if isinstance(kind.declare, NotSupported)]


def test_every_folder_of_a_kind_is_in_the_one_list() -> None:
    folders = {
        path.parent.name
        for path in (PACKAGE / "kinds").glob("*/__init__.py")
        if "KIND = Kind(" in path.read_text()
    }

    assert {kind.folder.rpartition(".")[2] for kind in KINDS} == folders
    assert len({kind.type for kind in KINDS}) == len(KINDS)


def test_listing_the_kinds_loads_none_of_their_files() -> None:
    program = "import sys, flowflare.kinds.registry; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    ours = {name for name in loaded if name.startswith("flowflare.")}
    assert not [name for name in ours if not name.startswith("flowflare.kinds")]
    assert not [name for name in ours if name.rpartition(".")[2] in VERBS]
    assert not {"pulumi", "pulumi_cloudflare", "cloudflare", "httpx", "pydantic"} & set(loaded)


def test_no_other_module_names_a_type() -> None:
    words = {kind.name for kind in KINDS} | {kind.type for kind in KINDS}
    naming = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if not path.is_relative_to(PACKAGE / "kinds")
        and any(
            isinstance(node, ast.Constant) and node.value in words
            for node in ast.walk(ast.parse(path.read_text()))
        )
    }

    def allowed(name: str) -> str | None:
        return next((one for one in NAMING_TYPES if f"{name}/".startswith(f"{one}/")), None)

    assert not {name for name in naming if allowed(name) is None}
    assert not NAMING_TYPES.keys() - {allowed(name) for name in naming}, "shrink the list"
