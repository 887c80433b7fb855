"""Bad input on a stack that is up: a clear error, and the stack stays as it is."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.command import flowflare
from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

PROGRAM = str(Path(sys.executable).parent / "flowflare")
SOURCE = "worker_src/orders/src/index.js"
MIGRATED = """\
import pulumi
from pathlib import Path
from flowflare.migrations.files import read_migrations
from flowflare.kinds import cloudflare
from flowflare.kinds.d1_migrations.declare import D1Migrations

account_id = pulumi.Config("flowflare").require("accountId")
database = cloudflare.D1Database("database", account_id=account_id, name="shop")
files = read_migrations(Path(__file__).parent.parent / "migrations")
D1Migrations("migrations", account_id=account_id, database_id=database.id, migrations=files)
"""


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare
) -> Iterator[tuple[Project, int]]:
    """A project whose stack is up, and the last request that this took."""
    project = make_project(tmp_path_factory.mktemp("built") / "shop", cloudflare)
    project.stack().up()
    yield project, project.account.last_request()
    assert project.account.writes(since=project.account.last_request()) == []


@pytest.fixture
def standing(built: tuple[Project, int], tmp_path: Path) -> Project:
    """A copy of that project to break; none of its runs may come to writing."""
    root = tmp_path / "shop"
    shutil.copytree(built[0].root, root, symlinks=True)
    return replace(built[0], root=root)


def state(project: Project) -> dict[str, object]:
    """What state says of each resource, in whatever order, and of what has begun."""
    (file,) = (project.root / ".flowflare/state/.pulumi/stacks").glob("*/local.json")
    latest = json.loads(file.read_text())["checkpoint"]["latest"]
    resources = {resource["urn"]: resource for resource in latest["resources"]}
    return {"resources": resources, "begun": latest.get("pending_operations")}


def refused(project: Project, *words: str) -> str:
    """Runs a command that must be refused, and sees that the stack stays as it is."""
    before, last = state(project), project.account.last_request()
    said = flowflare(*words, "--cwd", str(project.root))
    assert (said.code, said.out) == (1, "")
    assert "Traceback" not in said.err
    assert state(project) == before
    assert project.account.writes(since=last) == []
    assert not list((project.root / ".flowflare/state/.pulumi/locks").rglob("*.json"))
    return said.err[said.err.index("error: ") :]


def test_several_mistakes_of_the_configuration_at_once(standing: Project) -> None:
    standing.configure("flowflare:debugg: true")
    standing.edit("Pulumi.yaml", "src/index.js", "src/indx.js")
    standing.edit("Pulumi.yaml", "className", "clasName")
    for command in ("up", "preview"):
        assert refused(standing, command) == (
            "error: 4 problems in the configuration:\n"
            "  Pulumi.yaml:12: `flowflare:clients.orders.source`: there is no file "
            "'worker_src/orders/src/indx.js'\n"
            "    Did you mean `worker_src/orders/src/index.js`?\n"
            "  Pulumi.yaml:14: `flowflare:clients.orders.workflows.order-processing.className`: "
            "is missing\n"
            "    Add `className`: The Workflow class that the client's source exports.\n"
            "  Pulumi.yaml:15: `flowflare:clients.orders.workflows.order-processing.clasName`: "
            "there is no such key\n"
            "    Did you mean `className`?\n"
            "  Pulumi.local.yaml:8: `flowflare:debugg`: there is no such key\n"
            "    Did you mean `debug`?\n"
        )


def test_invalid_yaml(standing: Project) -> None:
    standing.configure("flowflare:debug: [true")
    said = refused(standing, "up")
    assert "Pulumi.local.yaml:" in said
    assert ": invalid YAML: " in said


@pytest.mark.parametrize("command", ["up", "preview", "render"])
def test_javascript_with_a_syntax_error(standing: Project, command: str) -> None:
    lines = (standing.root / SOURCE).read_text().splitlines()
    lines.insert(2, "const broken = { a: 1,, };")
    (standing.root / SOURCE).write_text("\n".join(lines))
    assert refused(standing, command) == (
        f'error: {SOURCE}:3:23: Expected identifier but found ","\n'
        "  3 | const broken = { a: 1,, };\n"
        "                            ^\n"
    )


def test_a_program_that_fails(standing: Project) -> None:
    standing.edit("infra/__main__.py", "stack.service.url", "stack.service.adress")
    said = refused(standing, "up")
    assert said.startswith("error: infra/__main__.py:9: AttributeError: ")
    assert "adress" in said


@pytest.mark.parametrize("command", ["up", "destroy --yes", "outputs --show-secrets", "order"])
def test_a_wrong_passphrase(
    standing: Project, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
    said = refused(standing, *command.split())
    assert "the passphrase from PULUMI_CONFIG_PASSPHRASE does not decrypt this stack's" in said
    assert "Use the passphrase that the stack was created with" in said


@pytest.mark.parametrize("command", ["up", "destroy --yes", "outputs --show-secrets", "order"])
def test_a_lost_passphrase(standing: Project, command: str) -> None:
    passphrase = standing.root / ".flowflare/passphrase"
    passphrase.unlink()
    said = refused(standing, *command.split())
    assert f"passphrase of this stack's secrets is lost: {passphrase} is missing" in said
    assert "Restore the file, or set the variable." in said
    assert not passphrase.exists(), "a new one would open nothing and hide that the old one is lost"


def test_outputs_need_no_passphrase_where_no_secret_is_shown(standing: Project) -> None:
    (standing.root / ".flowflare/passphrase").unlink()
    said = flowflare("outputs", "--cwd", str(standing.root))
    assert said.code == 0
    assert "[secret]" in said.out


@pytest.mark.parametrize("command", ["up", "preview", "destroy --yes"])
def test_an_api_that_is_not_on_this_machine(standing: Project, command: str) -> None:
    lines = (standing.root / "Pulumi.local.yaml").read_text().splitlines()
    away = "  cloudflare:baseUrl: https://api.cloudflare.com/client/v4"
    lines = [away if "baseUrl" in line else line for line in lines]
    (standing.root / "Pulumi.local.yaml").write_text("\n".join(lines))
    said = refused(standing, *command.split())
    assert "the embedded engine works on loopback only" in said


def test_another_port_than_that_of_the_emulator_that_runs(
    standing: Project, cloudflare: Cloudflare
) -> None:
    port = cloudflare.port
    standing.edit("Pulumi.local.yaml", f":{port}/", f":{port - 1}/")
    said = refused(standing, "up")
    assert f"runs on port {port}, but cloudflare:baseUrl in Pulumi.local.yaml:" in said
    assert f"says {port - 1}" in said
    assert "flowflare emulator stop" in said


def test_the_port_of_another_projects_emulator(standing: Project, cloudflare: Cloudflare) -> None:
    (standing.root / ".flowflare/emulator").unlink()
    said = refused(standing, "up")
    assert f"cannot listen on port {cloudflare.port}" in said
    user = f"the embedded Cloudflare of {cloudflare.data} uses it (process {cloudflare.pid})"
    assert user in said
    assert "write a free port there: cloudflare:baseUrl: http://127.0.0.1:" in said


def test_sql_that_fails(project: Project) -> None:
    (project.root / "infra/__main__.py").write_text(MIGRATED)
    migrations = project.root / "migrations"
    migrations.mkdir()
    (migrations / "0001_orders.sql").write_text("CREATE TABLE orders (id INTEGER PRIMARY KEY);\n")
    broken = migrations / "0002_lines.sql"
    good = "CREATE TABLE lines (id INTEGER PRIMARY KEY);\n"
    broken.write_text(f"{good}INSERT INTO ordres (id) VALUES (1);\n")

    said = flowflare("up", "--cwd", str(project.root))
    assert said.code == 1
    assert "error: 1 resource failed:\n" in said.err
    assert "0002_lines.sql: the SQL failed: no such table: ordres" in said.err
    assert "line 2: INSERT INTO ordres (id) VALUES (1);" in said.err
    assert "Correct the file and run again" in said.err
    assert "Traceback" not in said.err
    assert tables(project) == ["orders"]

    broken.write_text(good)
    assert flowflare("up", "--cwd", str(project.root)).code == 0
    assert tables(project) == ["lines", "orders"]
    assert project.account.databases() == ["shop"]


def tables(project: Project) -> list[str]:
    (database,) = project.account.get("/d1/database")
    sql = "SELECT name FROM sqlite_master WHERE name IN ('orders', 'lines') ORDER BY name"
    (answer,) = project.account.post(f"/d1/database/{database['uuid']}/query", {"sql": sql})
    return [row["name"] for row in answer["results"]]


def test_two_runs_at_once(project: Project) -> None:
    root = str(project.root)
    with project.account.fault({"kind": "hold"}, method="POST", nth=1) as fault:
        first = start(project)
        wait_until(fault.fired, process=first)
        second = flowflare("up", "--cwd", root)
        unlock = flowflare("unlock", "--cwd", root)
        fault.release()
        out, err = first.communicate(timeout=PATIENCE)
    for said in (second, unlock):
        assert (said.code, said.out) == (1, "")
        assert f"stack local is locked by another run: {os.environ.get('USER', 'uid')}" in said.err
        assert f"(pid {first.pid}) since 20" in said.err
        assert "Wait for it to end. If it is dead, remove its lock: flowflare unlock" in said.err
    assert first.returncode == 0, out + err
    assert project.account.databases() == ["local-flowflare-db"]
    assert project.stack().up().changed == 0


def start(project: Project) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "up"],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
