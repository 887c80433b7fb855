"""The commands print everything about a deployed stack except its secrets."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowflare.emulator import pidfile
from tests.cli.command import CliResult, flowflare
from tests.e2e.conftest import Project, make_project
from tests.e2e.embedded import Cloudflare

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

SERVICE = "local-flowflare-service"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> Iterator[Project]:
    """Deploy a project; the tests must not change its stack."""
    project = make_project(tmp_path_factory.mktemp("up") / "shop", cloudflare)
    project.open_stack().up()
    yield project
    assert project.open_stack().preview().changed == 0


def run(project: Project, *words: str) -> CliResult:
    result = flowflare(*words, "--cwd", str(project.root))
    assert result.code == 0, result.err
    return result


def test_the_key_is_shown_only_on_request(up: Project) -> None:
    plain, document = run(up, "outputs"), run(up, "outputs", "--json")
    outputs = json.loads(run(up, "outputs", "--json", "--show-secrets").out)
    key = outputs["api_key"]
    assert len(key) > 30
    assert key in run(up, "outputs", "--show-secrets").out
    assert json.loads(document.out) == outputs | {"api_key": "[secret]"}
    others = [run(up, "up"), run(up, "up", "--json"), run(up, "preview", "--json")]
    for result in (plain, document, *others, run(up, "render", "--json")):
        assert key not in result.out + result.err


def test_outputs_have_what_a_program_needs_to_call_the_service(up: Project) -> None:
    outputs = json.loads(run(up, "outputs", "--json", "--show-secrets").out)
    assert set(outputs) == {
        *("service_url", "service_script_name", "database_id", "api_key", "client_urls")
    }
    assert list(outputs["client_urls"]) == ["orders"]


def test_up_reports_that_nothing_changed_and_where_the_workers_are(up: Project) -> None:
    last = up.account.find_last_request()
    result = run(up, "up")
    assert "Nothing changed: all 11 resources are up to date." in result.out
    assert json.loads(run(up, "outputs", "--json").out)["service_url"] in result.out
    assert result.out.endswith("\n\nNext:  flowflare order\n")
    document = json.loads(run(up, "up", "--json").out)
    assert (document["stack"], document["changed"]) == ("local", 0)
    assert up.account.list_requests(since=last) == []


def test_order_prints_its_run_as_json_and_names_the_clients(up: Project) -> None:
    up.account.settle()
    order = json.loads(run(up, "order", "--json").out)
    assert order["status"] == "Completed"
    result = flowflare("order", "--client", "nope", "--cwd", str(up.root))
    assert result.code == 1
    assert result.err.startswith("error: stack local has no client nope\n  It has: orders.")


def test_render_writes_the_same_bytes_twice(up: Project, tmp_path: Path) -> None:
    trees = []
    for name in ("one", "two"):
        result = run(up, "render", "--out", str(tmp_path / name))
        assert SERVICE in result.out
        files = (path for path in (tmp_path / name).rglob("*") if path.is_file())
        trees.append({path.relative_to(tmp_path / name): path.read_bytes() for path in files})
    assert trees[0] == trees[1]
    assert len(trees[0]) == 4


def test_unlock_removes_the_lock_of_a_run_on_another_machine(up: Project) -> None:
    assert run(up, "unlock").err == "Stack local is not locked.\n"
    folder = up.root / ".flowflare/state/.pulumi/locks/organization/flowflare/local"
    folder.mkdir(parents=True, exist_ok=True)
    lock = {"pid": 7, "username": "ann", "hostname": "elsewhere", "timestamp": "2026-11-23T18:50Z"}
    (folder / "11111111-1111-4111-8111-111111111111.json").write_text(json.dumps(lock))

    result = flowflare("up", "--cwd", str(up.root))
    assert result.code == 1
    assert "locked by another run: ann@elsewhere (pid 7) since 2026-11-23T18:50Z" in result.err
    assert "flowflare unlock --stack local" in result.err
    assert "Removed ann@elsewhere (pid 7)" in run(up, "unlock").err
    assert run(up, "up").code == 0


def test_emulator_start_finds_a_running_emulator(up: Project, cloudflare: Cloudflare) -> None:
    result = run(up, "emulator", "start")
    assert result.err == f"The embedded Cloudflare answers on {cloudflare.base_url}\n"


def test_emulator_status_names_the_workers(up: Project, cloudflare: Cloudflare) -> None:
    status = json.loads(run(up, "emulator", "status", "--json").out)
    assert status["running"] is True
    assert (status["pid"], status["base_url"]) == (cloudflare.pid, cloudflare.base_url)
    ours = [worker for worker in status["workers"] if worker["account"] == up.account.identity]
    assert [worker["script"] for worker in ours] == ["local-flowflare-orders", SERVICE]
    output = run(up, "emulator", "status").out
    assert cloudflare.base_url in output
    assert ours[0]["url"] in output


def test_emulator_logs_prints_the_last_lines(up: Project, cloudflare: Cloudflare) -> None:
    log = (cloudflare.data / "emulator.log").read_text(errors="replace").splitlines()
    lines = run(up, "emulator", "logs", "--lines", "2").out.splitlines()
    assert len(lines) == min(2, len(log))
    assert run(up, "emulator", "logs", "-n", "0").out == ""


def test_an_emulator_that_does_not_answer_is_reported_without_a_traceback(
    up: Project, tmp_path: Path
) -> None:
    """A process with the PID and start time of the file exists, but its port is silent."""
    root = tmp_path / "shop"
    data = root / ".flowflare/emulator"
    data.mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        pidfile.write(data, os.getpid(), free.getsockname()[1])
        result = flowflare("emulator", "status", "--cwd", str(root))
    assert (result.code, result.out) == (1, "")
    assert f"error: the embedded Cloudflare (process {os.getpid()}) does not answer" in result.err
    assert "flowflare emulator logs" in result.err
