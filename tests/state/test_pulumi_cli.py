"""The real Pulumi CLI on a bucket that the embedded engine writes; passed with CLI 3.274.1."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.engine.pulumi_cli.stack import CliStack
from flowflare.errors import LockedError
from flowflare.state.backend import Backend
from flowflare.state.backends.objects import ObjectStore
from flowflare.state.lease import read_lease
from flowflare.state.lock import lock_stack
from tests.engine.projects import Sample, Things
from tests.state.wire import Wire
from tests.support.pulumi_cli import cli_environ

pytestmark = [pytest.mark.pulumi_cli, pytest.mark.long]


def test_both_engines_share_a_bucket_and_see_each_others_locks(
    sample: Sample, store: ObjectStore, wire: Wire, world: Things, tmp_path: Path
) -> None:
    host, port = wire.upstream
    bucket = f"{store.url}?endpoint=http://{host}:{port}&region=us-east-1&s3ForcePathStyle=true"
    environ = {
        **os.environ,
        **sample.environ,
        **cli_environ(tmp_path, bucket),
        "PYTHONPATH": str(sample.root / "infra"),
    }

    def pulumi(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *words, "--stack", "organization/p/dev", "--non-interactive"]
        return subprocess.run(
            command, cwd=sample.root, env=environ, check=False, capture_output=True, text=True
        )

    sample.open().up()
    assert "token-of-z-a" in pulumi("stack", "output", "--show-secrets").stdout
    (told,) = json.loads(pulumi("stack", "history", "--json").stdout)
    assert (told["kind"], told["result"]) == ("update", "succeeded")
    assert told["resourceChanges"] == {"create": 3}
    with lock_stack(Backend(store, "p", "dev")):
        refused = pulumi("up", "--yes", "--skip-preview")
        assert "the stack is currently locked by 1 lock" in refused.stderr + refused.stdout
        stack = CliStack(read_project(sample.root, "dev"), environ=environ)
        with pytest.raises(LockedError, match="held by another run"):
            stack.up()
    assert stack.up().changed == 0
    lease = read_lease(store, "p", "dev")
    assert lease is not None
    assert (lease.generation, lease.released) == (3, True)
    assert sample.open().up().changed == 0

    (lock,) = lock_of_the_cli(store)
    with pytest.raises(LockedError, match=r"locked by another run: root@ci \(pid 7\)"):
        sample.open().up()
    assert pulumi("cancel", "--yes").returncode == 0
    assert store.get(lock) is None
    sample.open().destroy()
    assert world.list_ids() == []


def lock_of_the_cli(store: ObjectStore) -> list[str]:
    """Puts a lock there as the CLI writes it."""
    key = ".pulumi/locks/organization/p/dev/4cc9f0ae-92ae-4a3f-a1d1-5a0a7c8e3f10.json"
    time = "2026-11-23T18:50:54.88Z"
    lock = {"pid": 7, "username": "root", "hostname": "ci", "timestamp": time}
    store.put(key, json.dumps(lock).encode())
    return [key]
