"""The Pulumi CLI and what is around it: found, judged, installed where that is possible."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowflare.config.files import Project, read_project, read_project_file
from flowflare.engine.pulumi_cli import checks, versions
from flowflare.engine.pulumi_cli.command import Cli, find_cli, install, require_cli
from flowflare.engine.pulumi_cli.state import backend_url, read_deployment
from flowflare.errors import EngineError
from flowflare.state.backends.folder import parse_folder_url
from flowflare.state.backends.registry import redact_url
from tests.engine.projects import PASSPHRASE, SALT, Sample, make_sample


def put_pulumi(folder: Path, said: str) -> Path:
    """A program named `pulumi` that says a version and knows nothing else."""
    folder.mkdir(parents=True)
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("said", "version", "status"),
    [
        (f"v{versions.PULUMI_VERSION}", (3, 274, 1), "ok"),
        ("v3.299.1-alpha", (3, 299, 1), "warn"),
        ("v3.254.9", (3, 254, 9), "fail"),
        ("v4.0.0", (4, 0, 0), "fail"),
        ("", None, "warn"),
    ],
)
def test_a_cli_is_judged_by_its_version(
    tmp_path: Path, said: str, version: Any, status: str
) -> None:
    program = put_pulumi(tmp_path / "bin", said)
    environ = {"PATH": f"{tmp_path}/bin", "HOME": str(tmp_path)}
    assert find_cli(environ) == Cli(program, version)
    assert checks.cli_check(find_cli(environ)).status == status
    if status == "fail":
        with pytest.raises(EngineError, match=r"stack x needs a Pulumi CLI >=3\.255\.0 <4\.0\.0"):
            require_cli(environ, "stack x")
    else:
        assert require_cli(environ, "stack x").path == program


def test_the_path_goes_before_what_was_installed_at_home(tmp_path: Path) -> None:
    environ = {"PATH": "", "HOME": str(tmp_path)}
    assert find_cli(environ) is None
    official = put_pulumi(tmp_path / ".pulumi/bin", "v3.274.1")
    pinned = put_pulumi(tmp_path / f".pulumi/versions/{versions.PULUMI_VERSION}/bin", "v3.274.1")
    assert getattr(find_cli(environ), "path", None) == pinned
    first = put_pulumi(tmp_path / "bin", "v3.274.1")
    assert getattr(find_cli({**environ, "PATH": str(first.parent)}), "path", None) == first
    assert official.exists()


def test_a_missing_cli_is_named_with_the_way_to_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as refused:
        require_cli({"PATH": "", "HOME": str(tmp_path)}, "stack prod")
    assert "stack prod runs on the Pulumi CLI" in refused.value.message
    assert "flowflare doctor --install" in str(refused.value.remedy)
    official = "curl -fsSL https://get.pulumi.com | sh -s -- --version 3.274.1"
    assert official in str(refused.value.remedy)


def test_an_installation_without_a_network_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(EngineError, match=r"Pulumi 3\.274\.1 could not be installed") as failed:
        install({"HOME": str(tmp_path)})
    assert "github.com/pulumi/pulumi/releases" in str(failed.value.remedy)


def test_the_pinned_cli_is_the_one_that_the_tests_build() -> None:
    module = (Path(__file__).parents[3] / "tools/pulumi/go.mod").read_text("utf-8")
    assert f"github.com/pulumi/pulumi/pkg/v3 v{versions.PULUMI_VERSION} " in module
    assert "tool github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" in module


def test_the_project_file_asks_for_the_same_versions() -> None:
    root = Path(__file__).parents[3]
    wanted = f'requiredPulumiVersion: "{versions.REQUIRED_PULUMI}"'
    assert wanted in (root / "Pulumi.yaml").read_text("utf-8")
    assert wanted in (root / "templates/starter/Pulumi.yaml.j2").read_text("utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return read_project(make_sample(tmp_path / "p").root, "dev")


def test_the_backend_is_found_as_the_cli_finds_it(project: Project, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    shared = project.shared
    assert backend_url(shared, home) == ""
    assert backend_url(shared, {**home, "PULUMI_ACCESS_TOKEN": "t"}).endswith("pulumi.com")
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi/credentials.json").write_text('{"current": "s3://b"}')
    assert backend_url(shared, home) == "s3://b"
    with (project.root / "Pulumi.yaml").open("a") as file:
        file.write("backend:\n  url: file:///from/project\n")
    shared = read_project_file(project.root)
    assert backend_url(shared, home) == "file:///from/project"
    assert backend_url(shared, {**home, "PULUMI_BACKEND_URL": "file:///env"}) == "file:///env"


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///a%20b", "/a b"),
        ("file:///state?metadata=skip", "/state"),
        ("file://~", "/people/me"),
        ("file://~/x", "/people/me/x"),
        ("s3://bucket", None),
    ],
)
def test_a_folder_backend(url: str, folder: str | None) -> None:
    found = parse_folder_url(url, {"HOME": "/people/me"})
    assert (str(found) if found else None) == folder
    assert redact_url("s3://u:p@host:9/x?awssdk=v2") == "s3://host:9/x"


def test_a_backend_folder_must_be_there(project: Project, tmp_path: Path) -> None:
    def status(url: str) -> str:
        return checks.backend_check(project, {"PULUMI_BACKEND_URL": url, "HOME": "/"}).status

    assert status(f"file://{tmp_path}") == "ok"
    assert status(f"file://{tmp_path}/none") == "fail"
    assert status(f"file://{tmp_path}/none?create_dir=true") == "ok"
    assert status("s3://bucket?region=auto") == "ok"
    assert status("") == "fail"


def test_the_passphrase_is_tried(project: Project) -> None:
    def status(environ: dict[str, str], provider: str = "") -> str:
        return checks.secrets_check(replace(project, secrets_provider=provider), environ).status

    assert project.encryption_salt == SALT
    assert status({"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}) == "ok"
    assert status({"PULUMI_CONFIG_PASSPHRASE": "wrong"}) == "fail"
    assert status({}) == "fail"
    assert status({}, "awskms://alias/x?region=r") == "ok"


def test_a_run_that_was_cut_off_is_named(project: Project) -> None:
    urn = "urn:pulumi:dev::p::cloudflare:index/d1Database:D1Database::shop-database"
    operation = {"type": "creating", "resource": {"urn": urn}}
    found = checks.stack_check(project, {"deployment": {"pending_operations": [operation]}})
    assert found.status == "warn"
    assert "while it changed shop-database" in found.message
    assert "flowflare up finds what it created" in found.remedy
    assert checks.stack_check(project, {"deployment": {"resources": [{}]}}).status == "ok"
    assert checks.stack_check(project, EngineError("no", remedy="yes")).remedy == "yes"


def test_the_python_of_plain_pulumi(project: Project, tmp_path: Path) -> None:
    def status(options: dict[str, str], **environ: str) -> str:
        shared = replace(project.shared, runtime_options=options)
        return checks.python_check(replace(project, shared=shared), environ).status

    assert status({}, PATH=str(Path(sys.executable).parent)) == "ok"
    assert status({}, PATH="", PULUMI_PYTHON_CMD=sys.executable) == "ok"
    assert status({}, PATH="") == "warn"
    assert status({"virtualenv": ".venv"}) == "fail"
    packages = project.root / ".venv/lib/python3.11/site-packages"
    (packages / "flowflare-0.1.0.dist-info").mkdir(parents=True)
    assert status({"virtualenv": ".venv"}) == "fail", "dynamic providers look below main"
    assert status({"virtualenv": str(project.root / ".venv")}) == "ok"


def test_state_in_a_folder_is_read_directly_and_other_state_by_the_cli(tmp_path: Path) -> None:
    sample: Sample = make_sample(tmp_path / "p", 'import pulumi\npulumi.export("n", 5)')
    sample.up()
    project = read_project(sample.root, "dev")
    folder = {"PULUMI_BACKEND_URL": f"file://{sample.root}/.flowflare/state", **sample.environ}
    stack = read_deployment(project, folder).stack
    assert stack is not None
    assert stack.outputs == {"n": 5.0}
    bucket = {"PULUMI_BACKEND_URL": "s3://u:p@bucket/x"}
    exported = {"version": 3, "deployment": sample.read_latest()}
    assert read_deployment(project, bucket, lambda: exported).stack is not None
    with pytest.raises(EngineError, match="is stored in s3://bucket/x, which only the Pulumi CLI"):
        read_deployment(project, bucket)
