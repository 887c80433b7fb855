"""The commands on a stack that is up: what they print where, and what they keep to themselves."""

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
    """A project whose stack is up; the tests only look at it."""
    project = make_project(tmp_path_factory.mktemp("up") / "shop", cloudflare)
    project.stack().up()
    yield project
    assert project.stack().preview().changed == 0


def done(project: Project, *words: str) -> CliResult:
    said = flowflare(*words, "--cwd", str(project.root))
    assert said.code == 0, said.err
    return said


def test_the_key_is_shown_to_those_who_ask_for_it(up: Project) -> None:
    plain, document = done(up, "outputs"), done(up, "outputs", "--json")
    opened = json.loads(done(up, "outputs", "--json", "--show-secrets").out)
    key = opened["api_key"]
    assert len(key) > 30
    assert key in done(up, "outputs", "--show-secrets").out
    assert json.loads(document.out) == opened | {"api_key": "[secret]"}
    others = [done(up, "up"), done(up, "up", "--json"), done(up, "preview", "--json")]
    for said in (plain, document, *others, done(up, "render", "--json")):
        assert key not in said.out + said.err


def test_outputs_hold_what_a_program_needs_to_call_the_service(up: Project) -> None:
    opened = json.loads(done(up, "outputs", "--json", "--show-secrets").out)
    assert set(opened) == {
        *("service_url", "service_script_name", "database_id", "api_key", "client_urls")
    }
    assert list(opened["client_urls"]) == ["orders"]


def test_up_says_that_nothing_changed_and_where_the_workers_are(up: Project) -> None:
    last = up.account.last_request()
    said = done(up, "up")
    assert "Nothing changed: all 11 resources are up to date." in said.out
    assert json.loads(done(up, "outputs", "--json").out)["service_url"] in said.out
    assert said.out.endswith("\n\nNext:  flowflare order\n")
    document = json.loads(done(up, "up", "--json").out)
    assert (document["stack"], document["changed"]) == ("local", 0)
    assert up.account.requests(since=last) == []


def test_an_order_as_json(up: Project) -> None:
    up.account.settle()
    run = json.loads(done(up, "order", "--json").out)
    assert run["status"] == "Completed"
    said = flowflare("order", "--client", "nope", "--cwd", str(up.root))
    assert said.code == 1
    assert said.err.startswith("error: stack local has no client nope\n  It has: orders.")


def test_render_writes_the_same_bytes_twice(up: Project, tmp_path: Path) -> None:
    trees = []
    for name in ("one", "two"):
        said = done(up, "render", "--out", str(tmp_path / name))
        assert SERVICE in said.out
        files = (path for path in (tmp_path / name).rglob("*") if path.is_file())
        trees.append({path.relative_to(tmp_path / name): path.read_bytes() for path in files})
    assert trees[0] == trees[1]
    assert len(trees[0]) == 4


def test_unlock_removes_the_lock_of_a_run_elsewhere(up: Project) -> None:
    assert done(up, "unlock").err == "Stack local is not locked.\n"
    folder = up.root / ".flowflare/state/.pulumi/locks/organization/flowflare/local"
    folder.mkdir(parents=True, exist_ok=True)
    lock = {"pid": 7, "username": "ann", "hostname": "elsewhere", "timestamp": "2026-11-23T18:50Z"}
    (folder / "11111111-1111-4111-8111-111111111111.json").write_text(json.dumps(lock))

    said = flowflare("up", "--cwd", str(up.root))
    assert said.code == 1
    assert "locked by another run: ann@elsewhere (pid 7) since 2026-11-23T18:50Z" in said.err
    assert "flowflare unlock --stack local" in said.err
    assert "Removed ann@elsewhere (pid 7)" in done(up, "unlock").err
    assert done(up, "up").code == 0


def test_emulator_start_finds_the_one_that_runs(up: Project, cloudflare: Cloudflare) -> None:
    said = done(up, "emulator", "start")
    assert said.err == f"The embedded Cloudflare answers on {cloudflare.base_url}\n"


def test_emulator_status_names_the_workers(up: Project, cloudflare: Cloudflare) -> None:
    status = json.loads(done(up, "emulator", "status", "--json").out)
    assert status["running"] is True
    assert (status["pid"], status["base_url"]) == (cloudflare.pid, cloudflare.base_url)
    ours = [one for one in status["workers"] if one["account"] == up.account.identity]
    assert [one["script"] for one in ours] == ["local-flowflare-orders", SERVICE]
    said = done(up, "emulator", "status").out
    assert cloudflare.base_url in said
    assert ours[0]["url"] in said


def test_emulator_logs_end_with_what_came_last(up: Project, cloudflare: Cloudflare) -> None:
    log = (cloudflare.data / "emulator.log").read_text(errors="replace").splitlines()
    said = done(up, "emulator", "logs", "--lines", "2").out.splitlines()
    assert len(said) == min(2, len(log))
    assert done(up, "emulator", "logs", "-n", "0").out == ""


def test_a_process_that_does_not_answer_is_no_traceback(up: Project, tmp_path: Path) -> None:
    """Something has the pid and the birth of the file, and its port is silent."""
    root = tmp_path / "shop"
    data = root / ".flowflare/emulator"
    data.mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        pidfile.write(data, os.getpid(), free.getsockname()[1])
        said = flowflare("emulator", "status", "--cwd", str(root))
    assert (said.code, said.out) == (1, "")
    assert f"error: the embedded Cloudflare (process {os.getpid()}) does not answer" in said.err
    assert "flowflare emulator logs" in said.err
