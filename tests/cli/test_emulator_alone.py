"""`flowflare emulator` without a Flowflare project: in an empty folder, and beside Pulumi's own."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import flowflare

ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    flowflare("emulator", "stop", "--cwd", str(tmp_path))


@pytest.mark.workerd
def test_every_command_works_in_an_empty_folder(folder: Path) -> None:
    def run(command: str, *words: str) -> str:
        said = flowflare("emulator", command, "--cwd", str(folder), *words)
        assert said.code == 0, said.err
        return said.out + said.err

    assert "No embedded Cloudflare runs. Start it: flowflare emulator start\n" in run("status")
    assert "No embedded Cloudflare runs." in run("stop")
    assert "No embedded Cloudflare has run here." in run("logs")
    missing = flowflare("emulator", "env", "--cwd", str(folder))
    assert missing.code == 1
    assert f"no embedded Cloudflare runs in {folder}" in missing.err

    assert "answers on http://127.0.0.1:" in run("start")
    environment = json.loads(run("env", "--json"))["environment"]
    assert environment["CLOUDFLARE_ACCOUNT_ID"] == ACCOUNT
    answer = httpx.get(
        f"{environment['CLOUDFLARE_API_BASE_URL']}/accounts/{ACCOUNT}/d1/database",
        headers={"Authorization": f"Bearer {environment['CLOUDFLARE_API_TOKEN']}"},
    )
    assert answer.json()["result"] == []
    first = json.loads(run("status", "--json"))
    assert first["status"] == "ready"
    run("start", "--latency", "200ms")
    assert json.loads(run("status", "--json"))["pid"] == first["pid"]
    answer = httpx.get(f"{environment['CLOUDFLARE_API_BASE_URL']}/user")
    assert answer.elapsed.total_seconds() >= 0.2
    run("logs")

    data = folder / ".flowflare/emulator"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert "*\n" in (folder / ".flowflare/.gitignore").read_text()
    assert "The embedded Cloudflare has stopped." in run("stop")
    assert not (data / "emulator.json").exists()


@pytest.mark.workerd
def test_data_and_port_are_chosen(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Also in a Flowflare project, whose own emulator is not touched."""
    data = str(tmp_path_factory.mktemp("data") / "cloud")
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\nconfig:\n  flowflare:x: 1\n")
    where = ("--cwd", str(tmp_path), "--data", data)
    try:
        assert flowflare("emulator", "start", *where).code == 0
        status = json.loads(flowflare("emulator", "status", "--json", *where).out)
        port = str(int(status["base_url"].split(":")[2].split("/")[0]) + 1)
        other = flowflare("emulator", "start", *where, "--port", port)
        assert "runs on port" in other.err
        assert not (tmp_path / ".flowflare").exists()
    finally:
        assert flowflare("emulator", "stop", *where).code == 0


def test_a_pulumi_project_without_keys_of_flowflare_needs_no_stack(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\n")
    said = flowflare("emulator", "env", "--cwd", str(tmp_path))
    assert f"no embedded Cloudflare runs in {tmp_path}" in said.err


def test_the_port_of_a_flowflare_project_is_in_its_stack(root: Path) -> None:
    said = flowflare("emulator", "start", "--cwd", str(root), "--port", "8790")
    assert said.code == 2
    assert "Pulumi.local.yaml has the port" in said.err


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    said = flowflare("emulator", "status", "--cwd", str(tmp_path / "nope"))
    assert said.code == 1
    assert "is not a folder" in said.err


@pytest.mark.parametrize("option", ["--latency", "--d1-service-time"])
def test_what_is_not_a_duration_is_refused(tmp_path: Path, option: str) -> None:
    said = flowflare("emulator", "start", "--cwd", str(tmp_path), option, "60")
    assert said.code == 2
    assert "is not a duration" in said.err
