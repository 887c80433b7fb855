"""A command refuses an invalid file at once and names it.

Otherwise a command would wait for a FIFO, JSON of 100,000 levels would end in a traceback, and
`destroy` would succeed for a state that is `null`, as for a stack without resources.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flowflare.adoption.key import read_key
from flowflare.errors import FlowflareError
from flowflare.fleet.environments.seeding import read_seeds
from flowflare.migrations.files import read_migrations
from flowflare.model.secret_sources import FileSource
from flowflare.review.comment.post import read_event
from flowflare.review.comment.received import read_report
from flowflare.secrets.local import read_file
from tests.cli.command import CliResult, flowflare

STATE = ".flowflare/state/.pulumi/stacks/shop/local.json"
DEEP = "[" * 100_000
URN = "urn:pulumi:local::shop::a:b:C::one"
MANIFEST = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}


def run(root: Path, command: str) -> CliResult:
    said = flowflare(*command.split(), "--cwd", str(root))
    assert "Traceback" not in said.err
    return said


def check_refusal(root: Path, command: str, *parts: str) -> None:
    said = run(root, command)
    assert (said.code, said.out) == (1, ""), said
    assert not [part for part in parts if part not in said.err], said.err


@pytest.fixture
def state(root: Path) -> Callable[[object], Path]:
    def write(raw: object) -> Path:
        file = root / STATE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(raw if isinstance(raw, str) else json.dumps(raw))
        return file

    return write


def checkpoint(latest: object) -> dict[str, object]:
    return {"version": 3, "checkpoint": {"stack": "organization/shop/local", "latest": latest}}


@pytest.mark.parametrize("command", ["destroy --yes", "outputs", "preview"])
@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (None, "the file is null, not an object"),
        ([], "the file is a list, not an object"),
        ("", "it is not valid JSON"),
        (DEEP, "nested more than 100 levels deep"),
        ({"version": 3}, "`checkpoint` is null, not an object"),
        ({"version": 3, "checkpoint": {}}, "`checkpoint.latest` is null"),
        (checkpoint(""), "`checkpoint.latest` is a text, not an object"),
        (checkpoint({}), "has no field of a deployment"),
        (checkpoint({"manifest": MANIFEST, "resources": {}}), "`resources` of"),
        (checkpoint({"manifest": MANIFEST, "resources": [None]}), "`resources[0]` is null"),
        (
            checkpoint({"manifest": MANIFEST, "resources": [{"urn": "a", "type": 3}]}),
            "`type` of `resources[0]` is a number, not a text",
        ),
        (
            checkpoint(
                {"manifest": MANIFEST, "resources": [{"urn": URN, "type": "", "inputs": 1}]}
            ),
            "`inputs` of `resources[0]` is a number, not an object",
        ),
    ],
)
def test_a_state_that_is_not_a_deployment_is_never_an_empty_stack(
    root: Path, state: Callable[[object], Path], raw: object, what: str, command: str
) -> None:
    file = state(raw)
    check_refusal(root, command, str(file), "is not a Pulumi checkpoint", what)
    assert file.exists()


def test_a_stack_that_was_only_initialized_is_empty(
    root: Path, state: Callable[[object], Path]
) -> None:
    made = {"version": 3, "checkpoint": {"stack": "organization/shop/local"}}
    for raw in (made, checkpoint({"manifest": MANIFEST})):
        state(raw)
        assert run(root, "outputs").code == 0


def replace_by_fifo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("Pulumi.yaml", "up"),
        ("Pulumi.local.yaml", "up"),
        ("Pulumi.local.yaml", "render --out OUT"),
        ("Pulumi.local.yaml", "secrets rotate"),
        ("Pulumi.local.yaml", "doctor"),
        ("tenants.yaml", "fleet config"),
        ("tenants.yaml", "fleet preview -e dev"),
        ("templates/service.js.j2", "render --out OUT"),
    ],
)
def test_a_named_pipe_in_the_place_of_a_file_is_refused(
    root: Path, file: str, command: str
) -> None:
    replace_by_fifo(root / file)
    check_refusal(root, command.replace("OUT", str(root / "out")), Path(file).name, "named pipe")


def test_a_state_that_is_a_named_pipe_is_refused(
    root: Path, state: Callable[[object], Path]
) -> None:
    file = state("")
    replace_by_fifo(file)
    for command in ("destroy --yes", "outputs", "preview"):
        check_refusal(root, command, str(file), "is a named pipe")


def test_a_source_or_an_import_that_is_a_named_pipe_is_refused(root: Path) -> None:
    source = root / "worker_src/orders/src/index.js"
    command = f"render --out {root / 'out'}"
    replace_by_fifo(source.with_name("pipe.js"))
    source.write_text("import './pipe.js';\n" + source.read_text())
    check_refusal(root, command, "worker_src/orders/src/pipe.js is not a file")
    replace_by_fifo(source)
    check_refusal(root, command, "worker_src/orders/src/index.js is not a file")


def test_readers_refuse_a_named_pipe_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "0001_create_orders.sql"
    replace_by_fifo(pipe)
    readers: list[Callable[[], object]] = [
        lambda: read_migrations(tmp_path),
        lambda: read_file(FileSource(path=str(pipe)), tmp_path),
        lambda: read_seeds([str(pipe)], tmp_path),
        lambda: read_key(pipe, {}),
        lambda: read_event(str(pipe)),
        lambda: read_report(pipe),
    ]
    for read in readers:
        with pytest.raises(FlowflareError, match="is a named pipe, not a file"):
            read()


def test_a_passphrase_file_that_is_a_named_pipe_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "passphrase"
    replace_by_fifo(pipe)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(pipe))
    check_refusal(root, "outputs", "PULUMI_CONFIG_PASSPHRASE_FILE", str(pipe), "is a named pipe")
