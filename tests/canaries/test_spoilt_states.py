"""A damaged state or configuration is refused or read, and no message quotes a part of it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import pytest

from flowflare.state.passphrase import Passphrase, Vault
from tests.canaries.commands import READERS, make_forms
from tests.canaries.damage import Damage, damages, misfits
from tests.canaries.planted import CALM, CLI, EMBEDDED, Planted
from tests.canaries.planting import find_secrets
from tests.canaries.running import inside, run_here
from tests.canaries.troubles import TROUBLES

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

PLACES = {
    "a script's bindings": ("flowflare-orders-script", "inputs"),
    "what the plugin computed": ("flowflare-service-database", "outputs"),
    "a provider's token": ("default_6_23_1", "inputs"),
    "the stack's outputs": ("flowflare-rec", "outputs"),
    "a dynamic resource": ("flowflare-orders-secret-shop-token", "outputs"),
}
#: Commands that read a state in this process.
LOOKING = [name for name in READERS if name not in ("diff", "fleet preview", "fleet drift")]
#: Those of them that open a state; the others only read the configuration and records.
OPENING = ("doctor", "preview", "outputs", "secrets status", "drift")
_ANY = Vault(Passphrase("a name", "a name"), "v1:AnwsOFAODHA=:v1:AAAA:AAAA")
SOME_DAMAGES = (
    "a text that is not sealed",
    "cut short",
    "a text for a signature",
    "inside, not JSON",
    "inside, a reference to nothing",
    "opens to names that are maps",
)
DAMAGES = list(damages(_ANY)) + [f"opens to {misfit}" for misfit in misfits(_ANY)]


@pytest.fixture
def spoilt(canary_project: Planted) -> Iterator[Planted]:
    """The project, whose files are restored afterwards."""
    files = [
        file
        for stack in (CLI, EMBEDDED, CALM)
        for file in (canary_project.state_file(stack), canary_project.stack_file(stack))
    ]
    before = {file: file.read_bytes() for file in files}
    yield canary_project
    for file, data in before.items():
        file.write_bytes(data)
    canary_project.note_files()
    canary_project.canaries.seen.clear()


def find_damage(canary_project: Planted, name: str) -> Damage:
    known = damages(canary_project.vault)
    known |= {
        f"opens to {misfit}": damage for misfit, damage in misfits(canary_project.vault).items()
    }
    return known[name]


def spoil(canary_project: Planted, stack: str, place: str, damage: str) -> None:
    """Damage a stack's secrets in one place."""
    file = canary_project.state_file(stack)
    raw = json.loads(file.read_text())
    name, part = PLACES[place]
    [record] = [
        candidate
        for candidate in raw["checkpoint"]["latest"]["resources"]
        if candidate["urn"].endswith(f"::{name}".replace("-rec", f"-{stack}"))
        or candidate["urn"].endswith(f"::{name}")
    ]
    for secret in list(find_secrets(record[part])):
        find_damage(canary_project, damage)(
            secret, canary_project.canaries.plant(f"damaged: {damage}, {place}")
        )
    file.write_text(json.dumps(raw))
    canary_project.note_files()


def look(canary_project: Planted, *names: str, stacks: tuple[str, ...] = (CLI, EMBEDDED)) -> None:
    for name in names:
        for words in make_forms(name, stacks):
            run_here(canary_project, *words)


@pytest.mark.long
def test_no_other_command_opens_a_state(spoilt: Planted) -> None:
    """Their exit codes are the same if the state is not JSON."""
    others = [name for name in LOOKING if name not in OPENING]
    before = [
        run_here(spoilt, *words) for name in others for words in make_forms(name, (EMBEDDED,))
    ]
    spoilt.state_file(EMBEDDED).write_text(f"{{{spoilt.canaries.plant('a state')}")
    spoilt.note_files()
    after = [run_here(spoilt, *words) for name in others for words in make_forms(name, (EMBEDDED,))]
    assert [said.code for said in after] == [said.code for said in before]
    assert spoilt.canaries.seen == []


@pytest.mark.parametrize("damage", SOME_DAMAGES)
def test_a_damaged_secret_is_never_quoted(spoilt: Planted, damage: str) -> None:
    """Damage the bindings of a stack of the CLI, and the outputs of an embedded stack."""
    spoil(spoilt, CLI, "a script's bindings", damage)
    spoil(spoilt, CALM, "the stack's outputs", damage)
    run_here(spoilt, "preview", "-s", CLI, "--diff")
    run_here(spoilt, "outputs", "-s", CALM)
    assert spoilt.canaries.seen == []


@pytest.mark.long
@pytest.mark.parametrize(("damage", "place"), list(zip(DAMAGES, cycle(PLACES), strict=False)))
def test_no_command_quotes_a_damaged_secret(spoilt: Planted, damage: str, place: str) -> None:
    """Try all kinds of damage and places, except by `up`, which keeps damaged values in state."""
    for stack in (CLI, EMBEDDED, CALM):
        spoil(spoilt, stack, place, damage)
    look(spoilt, *OPENING)
    run_here(spoilt, "adopt", "-s", CALM, "--names", "declared", "--dry-run")
    run_here(spoilt, "destroy", "-s", EMBEDDED, "--preview")
    assert spoilt.canaries.seen == []


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_error_about_a_stack_does_not_quote_its_secrets(spoilt: Planted, trouble: str) -> None:
    with cause_trouble(spoilt, trouble):
        run_here(spoilt, "preview", "-s", CLI)
        run_here(spoilt, "outputs", "-s", CALM, "--json")
    assert spoilt.canaries.seen == []


@pytest.mark.long
@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_command_quotes_a_secret_of_a_damaged_stack(spoilt: Planted, trouble: str) -> None:
    with cause_trouble(spoilt, trouble):
        look(spoilt, *LOOKING, stacks=(CLI, CALM))
        run_here(spoilt, "adopt", "-s", CALM, "--names", "declared", "--dry-run")
        run_here(spoilt, "destroy", "-s", CALM, "--preview")
        run_here(spoilt, "up", "-s", CALM)
    assert spoilt.canaries.seen == []


@contextmanager
def cause_trouble(canary_project: Planted, trouble: str) -> Iterator[None]:
    """Damage a stack of each engine, and set the trouble's environment inside the block."""
    environ: dict[str, str] = {}
    for stack in (CLI, CALM):
        environ |= TROUBLES[trouble](canary_project, stack)
    canary_project.note_files()
    with inside(dict(os.environ) | environ):
        if "PULUMI_CONFIG_PASSPHRASE_FILE" in environ:
            del os.environ["PULUMI_CONFIG_PASSPHRASE"]
        yield
