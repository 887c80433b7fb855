"""A command opens each file of the configuration once, counted in its own and all its processes."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.config.stacks import dump_project, load_project
from flowflare.state.passphrase import Passphrase, Vault
from tests.engine.projects import PASSPHRASE, SALT
from tests.ports import find_free_port, point_at

COMMAND = str(Path(sys.executable).parent / "flowflare")
ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"
#: Python imports this in every process before anything else runs, and notes what is opened to read.
HOOK = """
import os, sys

log = os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def note(event, args):
    if event == "open" and isinstance(args[0], (str, os.PathLike)):
        name = os.path.basename(os.fspath(args[0]))
        read = args[2] & os.O_ACCMODE == os.O_RDONLY
        if read and (name.startswith("Pulumi.") or name == "tenants.yaml"):
            os.write(log, name.encode() + b"\\n")

sys.addaudithook(note)
"""
TENANTS = [f"t{number:02}" for number in range(1, 21)]


class Counting:
    """A project whose commands count the files that they open."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "shop"
        self._log = folder / "opened"
        hook = folder / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK.format(log=str(self._log)))
        self._environ = os.environ | {
            "PYTHONPATH": os.pathsep.join(
                [str(hook), *filter(None, [os.environ.get("PYTHONPATH")])]
            ),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        }
        subprocess.run([COMMAND, "init", str(self.root)], check=True, capture_output=True)
        base_url = f"http://127.0.0.1:{find_free_port()}/client/v4"
        self.stack = self.root / "Pulumi.local.yaml"
        point_at(self.stack, base_url)
        for other in self.root.glob("Pulumi.*.yaml"):
            if other != self.stack:
                other.unlink()
        defaults = {
            "engine": "embedded",
            "accountId": ACCOUNT,
            "cloudflare:baseUrl": base_url,
            "protect": False,
        }
        fleet = {
            "defaults": defaults,
            "environments": {"prod": {}},
            "tenants": {tenant: {} for tenant in TENANTS},
        }
        (self.root / "tenants.yaml").write_text(json.dumps(fleet))

    def add_secret(self, file: Path) -> None:
        """Encrypt a value of a stack, so that its program must know where secrets are."""
        sealed = Vault(Passphrase(PASSPHRASE, "the test"), SALT).seal_text("a secret")
        salted = file.read_text().replace("config:\n", f"encryptionsalt: {SALT}\nconfig:\n", 1)
        file.write_text(f"{salted}  shop:token: {{secure: {sealed}}}\n")

    def run(self, *words: str) -> Counter[str]:
        """Run a command, and return how often each file was opened."""
        self._log.unlink(missing_ok=True)
        done = subprocess.run(
            [COMMAND, *words],
            cwd=self.root,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return Counter(self._log.read_text().split())


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


@pytest.mark.long
@pytest.mark.workerd
def test_a_command_on_a_stack_opens_each_file_once(counting: Counting) -> None:
    counting.add_secret(counting.stack)
    once = {"Pulumi.yaml": 1, "Pulumi.local.yaml": 1}
    try:
        for command in ("preview", "up", "drift --stack local"):
            assert counting.run(*command.split()) == once, command
        # Each of the two steps edits the file as it is then, and uses what it has written.
        assert counting.run("secrets", "rotate") == once | {"Pulumi.local.yaml": 3}
    finally:
        counting.run("emulator", "stop")


def test_a_project_arrives_in_another_process_as_it_was_sent(counting: Counting) -> None:
    counting.add_secret(counting.stack)
    project = read_project(counting.root, "local")
    assert load_project(json.loads(json.dumps(dump_project(project)))) == project


@pytest.mark.long
def test_a_command_on_twenty_tenants_opens_each_file_once(counting: Counting) -> None:
    files = {f"Pulumi.{tenant}-prod.yaml": 1 for tenant in TENANTS}
    shared = {"Pulumi.yaml": 1, "tenants.yaml": 1, "Pulumi.local.yaml": 1}
    assert counting.run("fleet", "config") == files | shared
    for tenant in TENANTS[:3]:
        counting.add_secret(counting.root / f"Pulumi.{tenant}-prod.yaml")
    assert counting.run("fleet", "config", "--check") == files | shared
    del shared["Pulumi.local.yaml"]
    assert counting.run("fleet", "status", "-e", "prod") == files | shared
    assert counting.run("fleet", "preview", "-e", "prod", "--workers", "2") == files | shared
