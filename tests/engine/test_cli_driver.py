"""The driver of the Pulumi CLI is tested with a program that plays recorded streams."""

import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flowflare.config.files import read_project
from flowflare.engine.pulumi_cli.plugins import HOSTS
from flowflare.engine.pulumi_cli.stack import CliStack
from flowflare.engine.pulumi_cli.versions import cloudflare_plugin
from flowflare.errors import (
    EngineError,
    LockedError,
    ProgramError,
    ProtectedError,
    SecretError,
    StateError,
    UpdateFailed,
)
from flowflare.state.backends.folder import FolderStore
from flowflare.state.holder import Holder
from flowflare.state.lease import Lease, hold_lease, make_lease_key, read_lease
from flowflare.values.events import Event
from tests.engine.fake_cloudflare import ACCOUNT, TIME, TOKEN, FakeCloudflare
from tests.engine.projects import list_changes, make_sample

PROGRAM = Path(__file__).parent / "fake_pulumi.py"
D1 = "cloudflare:index/d1Database:D1Database"
PROVIDER = "urn:pulumi:dev::p::pulumi:providers:cloudflare::default"
DATABASE = {
    "urn": f"urn:pulumi:dev::p::{D1}::db",
    "custom": True,
    "type": D1,
    "inputs": {"accountId": ACCOUNT, "name": "shop-runs"},
    "provider": f"{PROVIDER}::7d1c",
}


@dataclass
class Fake:
    """A stack, and the folder of the fake `pulumi` that runs it."""

    folder: Path
    stack: CliStack

    def play(self, *streams: str) -> CliStack:
        (self.folder / "stream").write_text(" ".join(streams))
        return self.stack

    def fail_with(self, text: str) -> CliStack:
        (self.folder / "error").write_text(text)
        return self.stack

    def store(self, **deployment: Any) -> None:
        exported = {"version": 3, "deployment": deployment}
        (self.folder / "export.json").write_text(json.dumps(exported))

    def read_state(self) -> Any:
        return json.loads((self.folder / "export.json").read_text())["deployment"]

    def list_calls(self) -> list[str]:
        return [line.split(" --")[0] for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def fake(tmp_path: Path, cloudflare: FakeCloudflare) -> Fake:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "pulumi"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PROGRAM}" "{folder}" "$@"\n')
    program.chmod(0o755)
    for plugin in (*HOSTS, "pulumi-resource-cloudflare"):
        (folder / plugin).touch(mode=0o755)
    config = {"cloudflare:baseUrl": cloudflare.base_url, "cloudflare:apiToken": TOKEN}
    sample = make_sample(tmp_path / "p", config=config)
    environ = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path), **sample.environ}
    began = datetime.fromisoformat(TIME)
    project = read_project(sample.root, "dev")
    fake = Fake(folder, CliStack(project, environ=environ, utc_now=lambda: began))
    fake.store(resources=[])
    return fake


def test_an_up_reports_events_while_it_runs_and_selects_no_stack(fake: Fake) -> None:
    events: list[Event] = []
    update = fake.play("change-up").up(events.append)
    assert list_changes(update)["z"] == "replace"
    assert update.outputs == {"token": "[secret]"}
    assert [event.kind for event in events].count("done") == 5
    assert "stack select" not in fake.list_calls()


def test_an_operation_starts_a_single_command_of_the_cli(fake: Fake, tmp_path: Path) -> None:
    """The state is read from its folder without the CLI, and the version is asked once."""
    store = FolderStore(tmp_path / "state")
    checkpoint = {"version": 3, "checkpoint": {"latest": {"resources": []}}}
    store.put(".pulumi/stacks/p/dev.json", json.dumps(checkpoint).encode())
    environ = {**fake.stack._environ, "PULUMI_BACKEND_URL": store.url}
    for operation, stream in (("up", "change-up"), ("preview", "change-preview")):
        stack = CliStack(fake.stack.project, environ=environ)
        (fake.folder / "calls").unlink(missing_ok=True)
        fake.play(stream)
        getattr(stack, operation)()
        assert fake.list_calls() == [operation]
    assert (fake.folder / "versions").read_text() == "version\n"


def test_a_missing_plugin_is_reported_before_the_cli_is_started(fake: Fake) -> None:
    (fake.folder / "pulumi-resource-cloudflare").unlink()
    command = f"pulumi plugin install resource cloudflare {cloudflare_plugin().version}"
    for run in (fake.stack.up, fake.stack.preview):
        with pytest.raises(EngineError, match=command):
            run()
    assert not (fake.folder / "calls").exists()


def test_the_cli_plans_a_preview(fake: Fake) -> None:
    plan = fake.play("change-preview").preview()
    assert list_changes(plan)["z"] == "replace"
    assert plan.outputs == {"token": "[unknown]"}


@pytest.mark.parametrize(
    ("stream", "error", "message"),
    [
        ("failure", UpdateFailed, r"z \(.*\): z-b blew up"),
        ("dropped-up", ProtectedError, "v is protected|v .* is protected"),
        ("mistake", ProgramError, "2 problems in the configuration"),
    ],
)
def test_a_failed_up_raises_the_error_for_its_cause(
    fake: Fake, stream: str, error: Any, message: str
) -> None:
    with pytest.raises(error, match=message):
        fake.play(stream).up()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("error: the stack is currently locked by 1 lock(s).", LockedError),
        ("error: no stack named 'dev' found", StateError),
        ("error: getting secrets manager: incorrect passphrase", SecretError),
        ("error: PULUMI_ACCESS_TOKEN must be set for login", EngineError),
        ("error: something new", EngineError),
    ],
)
def test_an_error_of_the_cli_raises_the_error_for_its_cause(
    fake: Fake, text: str, error: Any
) -> None:
    with pytest.raises(error) as refused:
        fake.fail_with(text).unlock()
    assert text != "error: something new" or refused.value.message == "pulumi: something new"


def test_a_run_holds_the_lease_of_its_stack(fake: Fake, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "state")
    store.folder.mkdir()
    environ = {**fake.stack._environ, "PULUMI_BACKEND_URL": store.url}
    stack = CliStack(fake.stack.project, environ=environ)
    fake.play("change-up")
    leases: list[Lease | None] = []
    stack.up(lambda _: leases.append(read_lease(store, "p", "dev")))
    assert leases
    assert [lease is not None and lease.released for lease in leases] == [False] * len(leases)
    lease = read_lease(store, "p", "dev")
    assert lease is not None
    assert lease.released
    with hold_lease(store, "p", "dev"):
        with pytest.raises(LockedError, match="held by another run"):
            stack.destroy()
        with pytest.raises(LockedError, match="run that is alive"):
            stack.unlock()
    elsewhere = Holder(7, "ann", "elsewhere")
    store.put(make_lease_key("p", "dev"), replace(lease, holder=elsewhere, released=False).data)
    assert [line.partition(" since")[0] for line in stack.unlock()][1:] == [
        "the lease of ann@elsewhere (pid 7)"
    ]
    assert fake.list_calls()[-1] == "cancel"


def test_a_run_first_adopts_what_an_interrupted_run_created(
    fake: Fake, cloudflare: FakeCloudflare
) -> None:
    row = {"uuid": "id-1", "name": "shop-runs", "created_at": TIME, "num_tables": 0}
    cloudflare.world.databases["id-1"] = row
    fake.store(resources=[], pending_operations=[{"type": "creating", "resource": DATABASE}])
    events: list[Event] = []
    fake.play("no-op").up(events.append)
    assert events[0].message.startswith("db: an earlier request created it")
    assert [each["id"] for each in fake.read_state()["resources"]] == ["id-1"]
    assert "pending_operations" not in fake.read_state()
    calls = fake.list_calls()
    assert calls.index("stack import") < calls.index("up")
    assert all("--file" not in call for call in calls if call.startswith("stack import"))


def test_destroy_names_protected_resources_before_it_deletes_anything(fake: Fake) -> None:
    fake.store(resources=[{**DATABASE, "id": "id-1", "protect": True}])
    with pytest.raises(ProtectedError, match="--lose-data db"):
        fake.stack.destroy()
    assert fake.list_calls() == ["stack export", "stack export"]
    assert not fake.stack.is_empty()
    fake.play("no-op").destroy(lose_data=["db"])
    assert any(call.startswith(f"state unprotect {DATABASE['urn']}") for call in fake.list_calls())


def test_outputs_are_read_from_the_exported_state(fake: Fake) -> None:
    secret = {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "plaintext": '"hidden"',
    }
    root = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
    record = {"urn": root, "type": "pulumi:pulumi:Stack", "custom": False}
    fake.store(resources=[{**record, "outputs": {"key": secret, "n": 5}}])
    assert fake.stack.outputs() == {"key": "[secret]", "n": 5}
    assert fake.stack.outputs(show_secrets=True) == {"key": "hidden", "n": 5}
