"""A damaged state or configuration is refused or read, and no message quotes any of it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import pytest

from flowflare.state.passphrase import Passphrase, Vault
from tests.canaries.commands import READERS, forms_of
from tests.canaries.damage import Damage, damages, misfits
from tests.canaries.planted import CALM, CLI, EMBEDDED, Planted
from tests.canaries.planting import positions
from tests.canaries.running import inside, run_here
from tests.canaries.troubles import TROUBLES

pytestmark = [pytest.mark.workerd, pytest.mark.timeout(300), pytest.mark.xdist_group("e2e")]

PLACES = {
    "a script's bindings": ("flowflare-orders-script", "inputs"),
    "what the plugin computed": ("flowflare-service-database", "outputs"),
    "a provider's token": ("default_6_23_1", "inputs"),
    "the stack's outputs": ("flowflare-rec", "outputs"),
    "a dynamic resource": ("flowflare-orders-secret-shop-token", "outputs"),
}
#: Commands that read a state without a process of their own.
LOOKING = [name for name in READERS if name not in ("diff", "fleet preview", "fleet drift")]
#: Those of them that open a state; the others read the configuration and records alone.
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
DAMAGES = list(damages(_ANY)) + [f"opens to {one}" for one in misfits(_ANY)]


@pytest.fixture
def spoilt(planted: Planted) -> Iterator[Planted]:
    """The project, whose files are put back afterwards."""
    files = [
        file
        for stack in (CLI, EMBEDDED, CALM)
        for file in (planted.state_file(stack), planted.stack_file(stack))
    ]
    before = {file: file.read_bytes() for file in files}
    yield planted
    for file, data in before.items():
        file.write_bytes(data)
    planted.note_files()
    planted.canaries.seen.clear()


def damage_of(planted: Planted, name: str) -> Damage:
    known = damages(planted.vault)
    known |= {f"opens to {one}": damage for one, damage in misfits(planted.vault).items()}
    return known[name]


def spoil(planted: Planted, stack: str, place: str, damage: str) -> None:
    """Damage a stack's secrets in one place."""
    file = planted.state_file(stack)
    raw = json.loads(file.read_text())
    name, part = PLACES[place]
    [record] = [
        one
        for one in raw["checkpoint"]["latest"]["resources"]
        if one["urn"].endswith(f"::{name}".replace("-rec", f"-{stack}"))
        or one["urn"].endswith(f"::{name}")
    ]
    for secret in list(positions(record[part])):
        damage_of(planted, damage)(secret, planted.canaries.plant(f"damaged: {damage}, {place}"))
    file.write_text(json.dumps(raw))
    planted.note_files()


def look(planted: Planted, *names: str, stacks: tuple[str, ...] = (CLI, EMBEDDED)) -> None:
    for name in names:
        for words in forms_of(name, stacks):
            run_here(planted, *words)


def test_no_other_command_opens_a_state(spoilt: Planted) -> None:
    """They end as before when the state is not JSON."""
    others = [name for name in LOOKING if name not in OPENING]
    before = [run_here(spoilt, *words) for name in others for words in forms_of(name, (EMBEDDED,))]
    spoilt.state_file(EMBEDDED).write_text(f"{{{spoilt.canaries.plant('a state')}")
    spoilt.note_files()
    after = [run_here(spoilt, *words) for name in others for words in forms_of(name, (EMBEDDED,))]
    assert [said.code for said in after] == [said.code for said in before]
    assert spoilt.canaries.seen == []


@pytest.mark.parametrize("damage", SOME_DAMAGES)
def test_a_damaged_secret_is_never_quoted(spoilt: Planted, damage: str) -> None:
    """In the bindings of a stack of the CLI, and in the outputs of one that was handed over."""
    spoil(spoilt, CLI, "a script's bindings", damage)
    spoil(spoilt, CALM, "the stack's outputs", damage)
    run_here(spoilt, "preview", "-s", CLI, "--diff")
    run_here(spoilt, "outputs", "-s", CALM)
    assert spoilt.canaries.seen == []


@pytest.mark.long
@pytest.mark.parametrize(("damage", "place"), list(zip(DAMAGES, cycle(PLACES), strict=False)))
def test_no_command_quotes_a_damaged_secret(spoilt: Planted, damage: str, place: str) -> None:
    """Every damage and every place. No `up`: it keeps in state what the damage left there open."""
    for stack in (CLI, EMBEDDED, CALM):
        spoil(spoilt, stack, place, damage)
    look(spoilt, *OPENING)
    run_here(spoilt, "adopt", "-s", CALM, "--names", "declared", "--dry-run")
    run_here(spoilt, "destroy", "-s", EMBEDDED, "--preview")
    assert spoilt.canaries.seen == []


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_is_wrong_with_a_stack_is_said_without_its_secrets(
    spoilt: Planted, trouble: str
) -> None:
    with cause_trouble(spoilt, trouble):
        run_here(spoilt, "preview", "-s", CLI)
        run_here(spoilt, "outputs", "-s", CALM, "--json")
    assert spoilt.canaries.seen == []


@pytest.mark.long
@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_command_quotes_a_secret_when_something_is_wrong(spoilt: Planted, trouble: str) -> None:
    with cause_trouble(spoilt, trouble):
        look(spoilt, *LOOKING, stacks=(CLI, CALM))
        run_here(spoilt, "adopt", "-s", CALM, "--names", "declared", "--dry-run")
        run_here(spoilt, "destroy", "-s", CALM, "--preview")
        run_here(spoilt, "up", "-s", CALM)
    assert spoilt.canaries.seen == []


@contextmanager
def cause_trouble(planted: Planted, trouble: str) -> Iterator[None]:
    """Spoil a stack of each engine; the environment is as the trouble has it inside the block."""
    environ: dict[str, str] = {}
    for stack in (CLI, CALM):
        environ |= TROUBLES[trouble](planted, stack)
    planted.note_files()
    with inside(dict(os.environ) | environ):
        if "PULUMI_CONFIG_PASSPHRASE_FILE" in environ:
            del os.environ["PULUMI_CONFIG_PASSPHRASE"]
        yield
