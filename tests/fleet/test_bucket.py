"""A fleet on several machines with state in a bucket: shared work, takeovers and lost requests."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from flowflare.errors import SecretError
from tests.fleet.machines import Bucket, Machine, copy_machine, kill_whole, machine_of
from tests.fleet.projects import FleetProject
from tests.state.wire import serve_wire
from tests.support.embedded import open_embedded

NAMES = ("t01", "t02", "t03")
# One worker at a time uses the least CPU.
UP = ("up", "--workers", "1")
LEASE = ".flowflare/leases/flowflare/{}-prod.json"
STATE = ".pulumi/stacks/flowflare/{}-prod.json"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with serve_wire() as wire:
        bucket = Bucket(wire, "fleet-state")
        bucket.s3.create_bucket(Bucket=bucket.name)
        yield bucket


@pytest.fixture
def machine(
    fleet_project: Callable[..., FleetProject], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    """Make the first machine; this process has its environment variables, too."""
    words = {f"WORDS_{name.upper()}": f"canary-words-of-{name}" for name in NAMES}
    fleet = fleet_project(
        len(NAMES), waves=["100%"], health={}, passphrase={"env": "WORDS_{TENANT}"}
    )
    token = {"CLOUDFLARE_API_TOKEN": fleet.token}
    machine = machine_of(fleet, bucket, **token, **words)
    for key, value in machine.environment.items():
        monkeypatch.setenv(key, value)
    return machine


@pytest.mark.long
@pytest.mark.xdist_group("fleet bucket")
@pytest.mark.workerd
@pytest.mark.no_cover
@pytest.mark.usefixtures("uncounted_processes")
def test_machines_share_a_fleet(
    machine: Machine, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = copy_machine(machine, tmp_path / "two")
    _shards_deploy_each_tenant_once(machine, two, bucket)
    _a_second_up_has_nothing_to_do(two, bucket)
    _two_machines_deploy_the_same_tenants_at_the_same_time(machine, two, bucket)
    _another_machine_takes_over(machine, two, bucket)
    _a_tenant_without_connection_or_passphrase_fails_alone(machine, bucket, monkeypatch)
    _the_bucket_contains_no_secret(machine, bucket)
    _every_command_works_with_a_bucket(machine, two, bucket)


def _shards_deploy_each_tenant_once(one: Machine, two: Machine, bucket: Bucket) -> None:
    before = one.account.find_last_request()
    first, second = one.run_with(two, (*UP, "--shard", "1/2"), (*UP, "--shard", "2/2"))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert sorted(first.tenants("tenant-done") + second.tenants("tenant-done")) == list(NAMES)
    assert bucket.outcomes() == dict.fromkeys(NAMES, "applied")
    assert len(one.account.list_scripts()) == 2 * len(NAMES)
    made = [line for line in one.account.list_writes(before) if line.endswith("/d1/database")]
    assert len(made) == len(NAMES)


def _a_second_up_has_nothing_to_do(machine: Machine, bucket: Bucket) -> None:
    """No checkpoint is read, nothing is written, and reading a record is one request."""
    bucket.wire.requests.clear()
    assert machine.run("up").out == "Nothing to do: all 3 tenants are up to date.\n"
    assert not [line for line in bucket.wire.requests if not line.startswith("GET ")]
    assert bucket.count_requests()["GET .pulumi/stacks"] == 0
    assert len(bucket.wire.requests) <= 4 + len(NAMES)


def _two_machines_deploy_the_same_tenants_at_the_same_time(
    one: Machine, two: Machine, bucket: Bucket
) -> None:
    for machine in (one, two):
        machine.change(retentionDays=31)
    before = one.account.find_last_request()
    first, second = one.run_with(two, UP, UP)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert bucket.outcomes() == dict.fromkeys(NAMES, "applied")
    # Only one of the two machines wrote each tenant's service.
    written = [line for line in one.account.list_writes(before) if line.startswith("PUT")]
    assert len(written) == len(set(written)), written
    assert two.events(*UP)[-1]["unchanged"] == len(NAMES)


def _another_machine_takes_over(one: Machine, two: Machine, bucket: Bucket) -> None:
    """The first machine loses power, and the second waits until its lease has expired."""
    for machine in (one, two):
        machine.change(retentionDays=32)
    with one.start(*UP, "--tenants", "t02") as process:
        assert process.stdout is not None
        for _ in takewhile(lambda line: '"started"' not in line, process.stdout):
            pass
        kill_whole(process)
    lease = LEASE.format("t02")
    assert not bucket.document(lease)["released"]
    elsewhere = {"hostname": "runner-1", "machine": ""}
    bucket.change(lease, **elsewhere, seconds=3600.0)
    bucket.change_all(".pulumi/locks/organization/flowflare/t02-prod/", **elsewhere)
    events = []
    with two.start(*UP) as process:
        assert process.stdout is not None
        for line in process.stdout:
            events.append(json.loads(line))
            if "waits: " in events[-1].get("message", ""):
                bucket.change(lease, seconds=0.0)
        assert process.wait() == 0, process.communicate()[1]
    notes = [event["message"] for event in events if event.get("kind") == "note"]
    assert "waits: stack t02-prod is held by another run" in notes[0]
    assert "@runner-1" in notes[0]
    assert any("took over the stack from a dead run" in text for text in notes)
    assert bucket.outcomes() == dict.fromkeys(NAMES, "applied")


def _a_tenant_without_connection_or_passphrase_fails_alone(
    machine: Machine, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other tenants are deployed, and the next run deploys the failed ones."""
    machine.change(retentionDays=33)
    state = f"PUT /{bucket.name}/{STATE} "
    bucket.wire.trouble(state.format("t01"), "answer-lost", "busy", "answer-torn")
    bucket.wire.trouble(state.format("t02"), *["unheard"] * 4)
    before = machine.account.find_last_request()
    with monkeypatch.context() as changed:
        # Another tenant's passphrase does not decrypt this tenant's secrets.
        changed.setenv("WORDS_T03", "canary-words-of-t01")
        events = machine.events(*UP, "--max-failures", "9", code=1)
    assert events[-1]["where"]["done"] == ["t01"]
    failed = {event["tenant"]: event for event in events if event["event"] == "tenant-failed"}
    assert f"s3://{bucket.name}: the store does not answer" in failed["t02"]["error"]
    assert failed["t03"]["api_calls"] == 0
    where = "environment variable WORDS_T03 for stack t03-prod does not decrypt"
    assert where in failed["t03"]["error"]
    assert "canary" not in str(events)
    assert not [line for line in machine.account.list_requests(before) if "t03" in str(line)]
    assert bucket.outcomes() == {"t01": "applied", "t02": "failed", "t03": "failed"}
    assert not bucket.wire.troubles
    events = machine.events(*UP)
    begun = [event["tenant"] for event in events if event["event"] == "tenant-began"]
    assert sorted(begun) == ["t02", "t03"]
    assert bucket.outcomes() == dict.fromkeys(NAMES, "applied")


def _the_bucket_contains_no_secret(machine: Machine, bucket: Bucket) -> None:
    """It has no passphrase, token or API key, and passphrases only decrypt their own tenant's."""
    environ = {**bucket.environment, "PULUMI_CONFIG_PASSPHRASE": "canary-words-of-t01"}
    key = open_embedded(machine.root, "t01-prod", environ=environ).outputs(show_secrets=True)
    with pytest.raises(SecretError):
        open_embedded(machine.root, "t02-prod", environ=environ).outputs(show_secrets=True)
    secrets = ["canary", os.environ["CLOUDFLARE_API_TOKEN"], key["api_key"]]
    objects = bucket.objects()
    assert len(objects) > 30
    for name, data in objects.items():
        assert not [secret for secret in secrets if secret.encode() in data], name


def _every_command_works_with_a_bucket(one: Machine, two: Machine, bucket: Bucket) -> None:
    two.change(retentionDays=33)
    status = json.loads(two.run("status", "--json").out)
    assert status["counts"] == {"applied": len(NAMES)}
    for command in ("preview", "drift"):
        done = one.run(command, *UP[1:])
        assert done.code == 0, done.out + done.err
    one.change({"t01": {"status": "retired"}})
    events = one.events(*UP, "--retire", "t01", "--exports", bucket.exports)
    assert events[-1]["removed"] == 1
    assert [key for key in bucket.objects("exports/t01-prod/") if key.endswith(".sql")]
    destroyed = one.events(
        "destroy", "--tenants", "t02", "--lose-data", "t02", "--no-export", *UP[1:]
    )
    assert destroyed[-1]["removed"] == 1
    assert bucket.outcomes() == {"t01": "retired", "t02": "destroyed", "t03": "applied"}
    assert {name.partition("-")[0] for name in one.account.list_scripts()} == {"t03"}
