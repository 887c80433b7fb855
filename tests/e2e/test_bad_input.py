"""Bad input causes a clear error and leaves a deployed stack as it is."""

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
def deployment(
    tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare
) -> Iterator[tuple[Project, int]]:
    """Deploy a project; return it with its last request."""
    project = make_project(tmp_path_factory.mktemp("deployment") / "shop", cloudflare)
    project.open_stack().up()
    yield project, project.account.find_last_request()
    assert project.account.list_writes(since=project.account.find_last_request()) == []


@pytest.fixture
def shop(deployment: tuple[Project, int], tmp_path: Path) -> Project:
    """Copy that project, to break it; a run on the copy must not write to the account."""
    root = tmp_path / "shop"
    shutil.copytree(deployment[0].root, root, symlinks=True)
    return replace(deployment[0], root=root)


def read_state(project: Project) -> dict[str, object]:
    """Return the resources and the pending operations in the state, in any order."""
    (file,) = (project.root / ".flowflare/state/.pulumi/stacks").glob("*/local.json")
    latest = json.loads(file.read_text())["checkpoint"]["latest"]
    resources = {resource["urn"]: resource for resource in latest["resources"]}
    return {"resources": resources, "pending": latest.get("pending_operations")}


def run_refused(project: Project, *words: str) -> str:
    """Run a command that must be refused and must leave the stack as it is; return the error."""
    before, last = read_state(project), project.account.find_last_request()
    result = flowflare(*words, "--cwd", str(project.root))
    assert (result.code, result.out) == (1, "")
    assert "Traceback" not in result.err
    assert read_state(project) == before
    assert project.account.list_writes(since=last) == []
    assert not list((project.root / ".flowflare/state/.pulumi/locks").rglob("*.json"))
    return result.err[result.err.index("error: ") :]


def test_all_mistakes_of_the_configuration_are_reported_at_once(shop: Project) -> None:
    shop.configure("flowflare:debugg: true")
    shop.edit("Pulumi.yaml", "src/index.js", "src/indx.js")
    shop.edit("Pulumi.yaml", "className", "clasName")
    for command in ("up", "preview"):
        assert run_refused(shop, command) == (
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


def test_invalid_yaml_is_reported_with_its_file(shop: Project) -> None:
    shop.configure("flowflare:debug: [true")
    error = run_refused(shop, "up")
    assert "Pulumi.local.yaml:" in error
    assert ": invalid YAML: " in error


@pytest.mark.parametrize("command", ["up", "preview", "render"])
def test_a_syntax_error_in_javascript_is_reported_with_its_line(
    shop: Project, command: str
) -> None:
    lines = (shop.root / SOURCE).read_text().splitlines()
    lines.insert(2, "const broken = { a: 1,, };")
    (shop.root / SOURCE).write_text("\n".join(lines))
    assert run_refused(shop, command) == (
        f'error: {SOURCE}:3:23: Expected identifier but found ","\n'
        "  3 | const broken = { a: 1,, };\n"
        "                            ^\n"
    )


def test_an_error_of_the_program_is_reported_with_its_line(shop: Project) -> None:
    shop.edit("infra/__main__.py", "stack.service.url", "stack.service.adress")
    error = run_refused(shop, "up")
    assert error.startswith("error: infra/__main__.py:9: AttributeError: ")
    assert "adress" in error


@pytest.mark.parametrize("command", ["up", "destroy --yes", "outputs --show-secrets", "order"])
def test_a_wrong_passphrase_is_refused(
    shop: Project, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
    error = run_refused(shop, *command.split())
    assert "the passphrase from PULUMI_CONFIG_PASSPHRASE does not decrypt this stack's" in error
    assert "Use the passphrase that the stack was created with" in error


@pytest.mark.parametrize("command", ["up", "destroy --yes", "outputs --show-secrets", "order"])
def test_a_lost_passphrase_is_reported_and_never_generated_again(
    shop: Project, command: str
) -> None:
    passphrase = shop.root / ".flowflare/passphrase"
    passphrase.unlink()
    error = run_refused(shop, *command.split())
    assert f"passphrase of this stack's secrets is lost: {passphrase} is missing" in error
    assert "Restore the file, or set the variable." in error
    assert not passphrase.exists(), "a new passphrase would hide that the old one is lost"


def test_outputs_without_secrets_need_no_passphrase(shop: Project) -> None:
    (shop.root / ".flowflare/passphrase").unlink()
    result = flowflare("outputs", "--cwd", str(shop.root))
    assert result.code == 0
    assert "[secret]" in result.out


@pytest.mark.parametrize("command", ["up", "preview", "destroy --yes"])
def test_an_api_on_another_machine_is_refused(shop: Project, command: str) -> None:
    lines = (shop.root / "Pulumi.local.yaml").read_text().splitlines()
    remote = "  cloudflare:baseUrl: https://api.cloudflare.com/client/v4"
    lines = [remote if "baseUrl" in line else line for line in lines]
    (shop.root / "Pulumi.local.yaml").write_text("\n".join(lines))
    error = run_refused(shop, *command.split())
    assert "the embedded engine works on loopback only" in error


def test_a_port_that_is_not_the_running_emulators_is_refused(
    shop: Project, cloudflare: Cloudflare
) -> None:
    port = cloudflare.port
    shop.edit("Pulumi.local.yaml", f":{port}/", f":{port - 1}/")
    error = run_refused(shop, "up")
    assert f"runs on port {port}, but cloudflare:baseUrl in Pulumi.local.yaml:" in error
    assert f"says {port - 1}" in error
    assert "flowflare emulator stop" in error


def test_the_port_of_another_projects_emulator_is_refused(
    shop: Project, cloudflare: Cloudflare
) -> None:
    (shop.root / ".flowflare/emulator").unlink()
    error = run_refused(shop, "up")
    assert f"cannot listen on port {cloudflare.port}" in error
    user = f"the embedded Cloudflare of {cloudflare.data} uses it (process {cloudflare.pid})"
    assert user in error
    assert "write a free port there: cloudflare:baseUrl: http://127.0.0.1:" in error


def test_a_failed_migration_is_reported_and_resumed_after_it_is_corrected(
    project: Project,
) -> None:
    (project.root / "infra/__main__.py").write_text(MIGRATED)
    migrations = project.root / "migrations"
    migrations.mkdir()
    (migrations / "0001_orders.sql").write_text("CREATE TABLE orders (id INTEGER PRIMARY KEY);\n")
    # On a database that has tables the file is sent: only the database knows what it has besides.
    assert flowflare("up", "--cwd", str(project.root)).code == 0
    broken = migrations / "0002_lines.sql"
    good = "CREATE TABLE lines (id INTEGER PRIMARY KEY);\n"
    broken.write_text(f"{good}INSERT INTO ordres (id) VALUES (1);\n")

    result = flowflare("up", "--cwd", str(project.root))
    assert result.code == 1
    assert "error: 1 resource failed:\n" in result.err
    assert "0002_lines.sql: the SQL failed: no such table: ordres" in result.err
    assert "line 2: INSERT INTO ordres (id) VALUES (1);" in result.err
    assert "Correct the file and run again" in result.err
    assert "Traceback" not in result.err
    assert list_tables(project) == ["orders"]

    broken.write_text(good)
    assert flowflare("up", "--cwd", str(project.root)).code == 0
    assert list_tables(project) == ["lines", "orders"]
    assert project.account.list_databases() == ["shop"]


def list_tables(project: Project) -> list[str]:
    (database,) = project.account.get("/d1/database")
    sql = "SELECT name FROM sqlite_master WHERE name IN ('orders', 'lines') ORDER BY name"
    (answer,) = project.account.post(f"/d1/database/{database['uuid']}/query", {"sql": sql})
    return [row["name"] for row in answer["results"]]


def test_a_second_run_is_refused_while_the_first_runs(project: Project) -> None:
    root = str(project.root)
    with project.account.inject_fault({"kind": "hold"}, method="POST", nth=1) as fault:
        first = start_up(project)
        wait_until(fault.count_fired, process=first)
        second = flowflare("up", "--cwd", root)
        unlock = flowflare("unlock", "--cwd", root)
        fault.release()
        out, err = first.communicate(timeout=PATIENCE)
    for result in (second, unlock):
        assert (result.code, result.out) == (1, "")
        assert (
            f"stack local is locked by another run: {os.environ.get('USER', 'uid')}" in result.err
        )
        assert f"(pid {first.pid}) since 20" in result.err
        assert "Wait for it to end. If it is dead, remove its lock: flowflare unlock" in result.err
    assert first.returncode == 0, out + err
    assert project.account.list_databases() == ["local-flowflare-db"]
    assert project.open_stack().up().changed == 0


def start_up(project: Project) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "up"],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
