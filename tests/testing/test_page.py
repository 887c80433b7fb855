"""The examples of the page on testing, run as a reader would run them."""

import os
import platform
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.pulumi_cli import cli_environ
from tests.support.wrangler import NODE, WRANGLER

pytest_plugins = "pytester"
pytestmark = pytest.mark.workerd

PROVIDER = Path(__file__).parents[2] / "build/terraform/terraform-provider-cloudflare"
PLATFORM = "linux_amd64" if platform.machine() in ("x86_64", "AMD64") else "linux_arm64"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "testing.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def section(title: str) -> list[tuple[str, str]]:
    """Return the code blocks of a section: language and text."""
    parts = re.split(r"^#+ ", PAGE.read_text("utf-8"), flags=re.M)
    [text] = [part for part in parts if part.startswith(f"{title}\n")]
    return [(match[1], match[2]) for match in BLOCK.finditer(text)]


@pytest.fixture(autouse=True)
def _session(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
        monkeypatch.delenv(name)


def run(pytester: pytest.Pytester, files: dict[str, str], **outcomes: int) -> pytest.RunResult:
    for name, text in files.items():
        (pytester.path / name).write_text(text)
    others = ("-p", "no:schemathesis", "-p", "no:hypothesispytest", "-ra")
    result = pytester.runpytest_subprocess(*others)
    result.assert_outcomes(**outcomes)
    return result


def test_a_wrangler_project_and_plain_tests(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # npx would run the locked wrangler of a reader's project.
    npx = tmp_path / "npx"
    npx.write_text(f'#!/bin/sh\nshift\nexec "{NODE}" "{WRANGLER}" "$@"\n')
    npx.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    [(_, first)] = section("Test with the embedded Cloudflare")
    [(_, failure)] = section("Failures")
    [(_, config), (_, source), (_, test)] = section("A wrangler project")
    files = {"wrangler.json": config, "index.js": source, "test_wrangler.py": test}
    run(pytester, {**files, "test_first.py": first, "test_failure.py": failure}, passed=3)


@pytest.mark.long
@pytest.mark.pulumi_cli
def test_a_pulumi_program(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in replaces Cloudflare's provider plugin, as in the other tests of the CLI."""
    for name, value in cli_environ(tmp_path).items():
        monkeypatch.setenv(name, value)
    [(_, program), (_, test)] = section("A Pulumi program")
    project = "name: shop\nruntime: python\n"
    files = {"Pulumi.yaml": project, "__main__.py": program, "test_pulumi.py": test}
    run(pytester, files, passed=1)


@pytest.mark.long
@pytest.mark.skipif(not PROVIDER.exists(), reason="no provider in build/terraform")
def test_a_terraform_configuration(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mirror has a build of the real provider, which Terraform would download."""
    name = f"registry.terraform.io/cloudflare/cloudflare/5.22.0/{PLATFORM}"
    mirrored = tmp_path / "mirror" / name / "terraform-provider-cloudflare_v5.22.0"
    mirrored.parent.mkdir(parents=True)
    mirrored.symlink_to(PROVIDER)
    mirror = f'filesystem_mirror {{ path = "{tmp_path / "mirror"}" }}'
    (tmp_path / "terraformrc").write_text(f"provider_installation {{\n{mirror}\n}}\n")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "terraformrc"))
    [(_, configuration), (_, test)] = section("A Terraform configuration")
    run(pytester, {"main.tf": configuration, "test_terraform.py": test}, passed=1)


def test_terraform_is_skipped_if_it_is_missing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    if shutil.which("terraform"):
        pytest.skip("terraform is in the default path")
    [_, (_, test)] = section("A Terraform configuration")
    result = run(pytester, {"test_terraform.py": test}, skipped=1)
    result.stdout.fnmatch_lines(["*terraform is not on PATH*"])


def test_every_python_block_of_the_page_compiles() -> None:
    blocks = [
        text for language, text in BLOCK.findall(PAGE.read_text("utf-8")) if language == "python"
    ]
    assert len(blocks) >= 6
    for text in blocks:
        compile(text, sys.executable, "exec")
