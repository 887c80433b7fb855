"""No command prints or writes a secret of a state of the real plugin, or of a secret's source."""

import sys
from pathlib import Path

import pytest

from tests.canaries.commands import (
    CHANGERS,
    PROCESS_CODES,
    READERS,
    code_of,
    forms_of,
    words_of,
)
from tests.canaries.planted import CALM, EMBEDDED, STACKS, Planted, make_planted
from tests.canaries.running import inside, run_here, run_process
from tests.e2e.embedded import Cloudflare

pytestmark = [
    pytest.mark.workerd,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("e2e"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
#: Each starts processes that import Pulumi, which takes seconds.
COSTLY = frozenset({"diff", "fleet preview", "fleet drift", "fleet up", "fleet destroy"})
#: What makes asyncio, Pulumi, gRPC, Node, Cloudflare's SDK and its plugin say more.
TALKATIVE = {
    "CLOUDFLARE_LOG": "debug",
    "GRPC_VERBOSITY": "debug",
    "HTTPX_LOG_LEVEL": "trace",
    "NODE_DEBUG": "http,net",
    "PULUMI_DEBUG_COMMANDS": "true",
    "PULUMI_OPTION_LOGTOSTDERR": "true",
    "PULUMI_OPTION_VERBOSE": "9",
    "PYTHONASYNCIODEBUG": "1",
    "TF_LOG": "TRACE",
}


@pytest.mark.parametrize("name", [name for name in READERS if name not in COSTLY])
def test_a_command_that_only_looks_shows_no_canary(planted: Planted, name: str) -> None:
    for words in forms_of(name, STACKS):
        said = run_here(planted, *words)
        assert said.code == code_of(" ".join(words)), said.err
    assert planted.canaries.seen == []


@pytest.mark.long
def test_no_canary_shows_in_the_life_of_a_stack(tmp_path: Path, cloudflare: Cloudflare) -> None:
    """Handed over to the embedded engine, brought up, taken over again, rotated, taken away."""
    planted = make_planted(tmp_path, cloudflare)
    with inside(planted.environ | {"PATH": "/usr/bin:/bin"}):
        run_here(planted, *words_of("adopt", "-s {stack} --names declared", CALM))
        codes = {
            " ".join(words): run_here(planted, *words).code
            for name in CHANGERS
            if name not in COSTLY
            for words in forms_of(name, (EMBEDDED,))
        }
        run_here(planted, "adopt", "--stack", EMBEDDED)
        run_here(planted, "destroy", "--yes", "--stack", EMBEDDED)
    assert planted.canaries.seen == []
    assert codes == {line: code_of(line) for line in codes}


def test_no_process_is_given_a_canary_and_none_is_logged(
    tmp_path: Path, cloudflare: Cloudflare
) -> None:
    """A command as people run it, its workers too, with everything switched on that logs."""
    planted = make_planted(tmp_path, cloudflare)
    talkative = TALKATIVE | {"PATH": "/usr/bin:/bin"}
    said = run_process(planted, "fleet", "preview", "-e", "live", "--again", **talkative)
    assert said.code == 0, said.err
    assert planted.canaries.seen == []


def test_secrets_are_printed_when_they_are_asked_for_and_no_others(planted: Planted) -> None:
    of_the_stack = {
        what: value
        for what, value in planted.canaries.values.items()
        if what.startswith("flowflare-rec outputs ")
    }
    api_key = of_the_stack["flowflare-rec outputs api_key"]
    for words in forms_of("outputs", (EMBEDDED, CALM)):
        assert api_key not in run_here(planted, *words).out
        said = run_here(planted, *words, "--show-secrets", asked=of_the_stack.values())
        assert api_key in said.out
    assert planted.canaries.seen == []


@pytest.mark.long
@pytest.mark.parametrize("name", READERS)
def test_a_process_that_only_looks_shows_no_canary(planted: Planted, name: str) -> None:
    """In every form and on every stack, with everything logged."""
    run_every_form(planted, name)


@pytest.mark.long
@pytest.mark.parametrize("name", CHANGERS)
def test_a_process_that_changes_something_shows_no_canary(
    tmp_path: Path, cloudflare: Cloudflare, name: str
) -> None:
    """In every form and on every stack, one of them deployed, with everything logged."""
    planted = make_planted(tmp_path, cloudflare)
    said = run_process(planted, "up", "-s", EMBEDDED, **TALKATIVE, PATH="/usr/bin:/bin")
    assert said.code == 0, said.err
    run_every_form(planted, name)


def run_every_form(planted: Planted, name: str) -> None:
    for words in forms_of(name, STACKS):
        said = run_process(planted, *words, **TALKATIVE, PATH="/usr/bin:/bin")
        line = " ".join(words)
        assert said.code == code_of(line, PROCESS_CODES), f"{line}: {said.out}{said.err}"
    assert planted.canaries.seen == []
