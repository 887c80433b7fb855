"""What the Makefile installs first is locked, and the locks fit each other."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_the_tools_that_install_the_rest_are_locked() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {re.split(r"[<>=]", name)[0].strip() for name in pyproject["build-system"]["requires"]}
    assert wanted | {"uv"} <= set(locked("requirements-build.lock"))


def test_the_locks_agree() -> None:
    development = locked("requirements-dev.lock")
    others = locked("requirements.lock") | locked("requirements-build.lock")
    assert {name: development.get(name) for name in others} == others


def test_the_npm_package_has_the_version_of_the_python_package() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    package = json.loads((ROOT / "package.json").read_text())
    assert package["version"] == pyproject["project"]["version"]


def test_npm_locks_hold_no_address() -> None:
    assert "resolved" not in (ROOT / "package-lock.json").read_text()


def test_every_npm_package_is_locked_by_its_content_on_every_platform() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if name and "integrity" not in package]
