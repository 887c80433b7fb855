"""The kinds of resources: one list, every verb answered, nothing loaded before it is asked for."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from flowflare.kinds import contract
from flowflare.kinds.contract import Kind, NotSupported
from flowflare.kinds.registry import KINDS
from flowflare.kinds.workers_script.settings import SETTINGS
from tests.house.syntax import list_nodes

pytestmark = pytest.mark.xdist_group("syntax")  # one worker parses the modules

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "infra/flowflare"
#: The fields of a kind that are verbs: annotated as such in the contract.
VERBS = [one.name for one in fields(Kind) if one.type is contract.Verb]
#: Modules outside of `kinds/` that name a type, each with the reason; it only ever shrinks.
NAMING_TYPES: dict[str, str] = {
    "fleet/tenants/checks.py": "the English word, not the type",
}
#: Modules outside of a script's folder that name one of its settings, each with the reason.
NAMING_SETTINGS: dict[str, str] = {
    "policies/workers.py": "the policy `observability`",
    "engine/preflight.py": "the Workers that must exist before the script",
    "kinds/bindings/workers.py": "the Workers that must exist before the script",
    "model/worker.py": "the Workers that must exist before the script",
    "resources/service.py": "the Workers that must exist before the script",
    "fleet": "the `limits` of an account",
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

    naming = set(_modules_with(words, "kinds", ("value",)))

    _check_allowed(naming, NAMING_TYPES)


def test_a_script_has_its_settings_in_one_place() -> None:
    naming = set(_modules_with(set(SETTINGS), "kinds/workers_script", ("value", "attr", "arg")))

    _check_allowed({name for name in naming if not name.startswith("emulator/")}, NAMING_SETTINGS)


def _modules_with(words: set[str], home: str, attributes: tuple[str, ...]) -> Iterator[str]:
    """Find the modules outside of their home whose syntax tree has one of the words."""
    for path in PACKAGE.rglob("*.py"):
        if not path.is_relative_to(PACKAGE / home) and any(
            isinstance(word := getattr(node, attribute, None), str) and word in words
            for node in list_nodes(path)
            for attribute in attributes
        ):
            yield str(path.relative_to(PACKAGE))


def _check_allowed(naming: set[str], reasons: dict[str, str]) -> None:
    """Check that every module is on a list of reasons, and that the list has no other."""

    def allowed(name: str) -> str | None:
        return next((one for one in reasons if f"{name}/".startswith(f"{one}/")), None)

    assert not {name for name in naming if allowed(name) is None}
    assert not reasons.keys() - {allowed(name) for name in naming}, "shrink the list"
