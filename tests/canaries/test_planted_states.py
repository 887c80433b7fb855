"""No command prints or writes a secret from a state of the real plugin or from a source."""

import sys
from pathlib import Path

import pytest

from tests.canaries.commands import (
    CHANGERS,
    PROCESS_CODES,
    READERS,
    find_code,
    make_forms,
    make_words,
)
from tests.canaries.planted import CALM, EMBEDDED, STACKS, Planted, make_planted
from tests.canaries.running import inside, run_here, run_process
from tests.e2e.embedded import Cloudflare

pytestmark = [
    pytest.mark.workerd,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
#: Commands that start processes which import Pulumi, which takes seconds.
COSTLY = frozenset({"diff", "fleet preview", "fleet drift", "fleet up", "fleet destroy"})
#: Variables for verbose logs of asyncio, Pulumi, gRPC, Node, Cloudflare's SDK and its plugin.
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
def test_a_command_that_only_reads_shows_no_canary(canary_project: Planted, name: str) -> None:
    for words in make_forms(name, STACKS):
        said = run_here(canary_project, *words)
        assert said.code == find_code(" ".join(words)), said.err
    assert canary_project.canaries.seen == []


@pytest.mark.long
def test_no_canary_shows_in_the_life_of_a_stack(tmp_path: Path, cloudflare: Cloudflare) -> None:
    """Convert it to the embedded engine, bring it up, adopt, rotate and destroy it."""
    canary_project = make_planted(tmp_path, cloudflare)
    with inside(canary_project.environ | {"PATH": "/usr/bin:/bin"}):
        run_here(canary_project, *make_words("adopt", "-s {stack} --names declared", CALM))
        codes = {
            " ".join(words): run_here(canary_project, *words).code
            for name in CHANGERS
            if name not in COSTLY
            for words in make_forms(name, (EMBEDDED,))
        }
        run_here(canary_project, "adopt", "--stack", EMBEDDED)
        run_here(canary_project, "destroy", "--yes", "--stack", EMBEDDED)
    assert canary_project.canaries.seen == []
    assert codes == {line: find_code(line) for line in codes}


def test_no_child_process_gets_a_canary_and_no_log_shows_one(
    tmp_path: Path, cloudflare: Cloudflare
) -> None:
    """Run a command in a process with its workers, with verbose logs."""
    canary_project = make_planted(tmp_path, cloudflare)
    talkative = TALKATIVE | {"PATH": "/usr/bin:/bin"}
    said = run_process(canary_project, "fleet", "preview", "-e", "live", "--again", **talkative)
    assert said.code == 0, said.err
    assert canary_project.canaries.seen == []


def test_only_the_requested_secrets_are_printed(canary_project: Planted) -> None:
    of_the_stack = {
        what: value
        for what, value in canary_project.canaries.values.items()
        if what.startswith("flowflare-rec outputs ")
    }
    api_key = of_the_stack["flowflare-rec outputs api_key"]
    for words in make_forms("outputs", (EMBEDDED, CALM)):
        assert api_key not in run_here(canary_project, *words).out
        said = run_here(canary_project, *words, "--show-secrets", asked=of_the_stack.values())
        assert api_key in said.out
    assert canary_project.canaries.seen == []


@pytest.mark.long
@pytest.mark.parametrize("name", READERS)
def test_a_process_that_only_reads_shows_no_canary(canary_project: Planted, name: str) -> None:
    """Run every form on every stack, with verbose logs."""
    run_every_form(canary_project, name)


@pytest.mark.long
@pytest.mark.parametrize("name", CHANGERS)
def test_a_process_that_changes_something_shows_no_canary(
    tmp_path: Path, cloudflare: Cloudflare, name: str
) -> None:
    """Run every form on every stack, one of them deployed, with verbose logs."""
    canary_project = make_planted(tmp_path, cloudflare)
    said = run_process(canary_project, "up", "-s", EMBEDDED, **TALKATIVE, PATH="/usr/bin:/bin")
    assert said.code == 0, said.err
    run_every_form(canary_project, name)


def run_every_form(canary_project: Planted, name: str) -> None:
    for words in make_forms(name, STACKS):
        said = run_process(canary_project, *words, **TALKATIVE, PATH="/usr/bin:/bin")
        line = " ".join(words)
        assert said.code == find_code(line, PROCESS_CODES), f"{line}: {said.out}{said.err}"
    assert canary_project.canaries.seen == []
