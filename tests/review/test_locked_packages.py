"""The npm packages that each commit locks are installed and compared by their code."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from flowflare.review.commits import CommitQuery, compare_commits
from flowflare.review.locked_packages import PackageInstaller
from flowflare.review.report import Report
from tests.review.conftest import Repo, track_tenants
from tests.review.registry import Registry

ORDERS = "worker_src/orders/src/index.js"
IMPORT = 'import { say } from "greeter";\nsay("Ann");\n'


def manifest(**fields: Any) -> str:
    return json.dumps({"private": True, "type": "module", **fields})


def depend(registry: Registry, version: str) -> dict[str, str]:
    return {
        "package.json": manifest(dependencies={"greeter": version}),
        "package-lock.json": registry.lock(greeter=version),
    }


def shop(top: Path, registry: Registry, version: str = "1.0.0") -> Repo:
    """Make a repository with a Worker that imports a locked package."""
    made = track_tenants(top)
    code = (made.project / ORDERS).read_text("utf-8")
    files = depend(registry, version) | {ORDERS: IMPORT + code, "Pulumi.bea.yaml": None}
    made.commit(files | {".gitignore": "node_modules\n"}, "shop")
    return made


def report(repo: Repo, base: str = "HEAD~1") -> Report:
    return compare_commits(repo.project, CommitQuery(base))


def changes(found: Report) -> dict[str, list[str]]:
    return {
        difference.of: [line for line in difference.lines if line[0] in "+-."]
        for section in found.sections
        for entry in (section.review.entries if section.review else ())
        for difference in entry.differences
    }


def test_another_version_of_a_package_is_compared_by_its_code(
    tmp_path: Path, registry: Registry
) -> None:
    made = shop(tmp_path / "shop", registry)
    made.commit(depend(registry, "2.0.0"), "greeter 2")
    found = report(made)
    assert (found.exit_code, found.risk, found.notes) == (2, "safe", ())
    assert changes(found) == {"node_modules/greeter/index.js": ["... 2 changed lines"]}
    assert str(tmp_path) not in found.model_dump_json()


PATCH = """\
diff --git a/node_modules/greeter/index.js b/node_modules/greeter/index.js
--- a/node_modules/greeter/index.js
+++ b/node_modules/greeter/index.js
@@ -1 +1 @@
-export const say = (name) => "Hello " + name;
+export const say = (name) => "{} " + name;
"""


@pytest.mark.long
def test_a_changed_patch_is_compared_by_the_code_that_it_patches(
    tmp_path: Path, registry: Registry
) -> None:
    made = shop(tmp_path / "shop", registry)
    made.commit({"patches/greeter+1.0.0.patch": PATCH.format("Hi")}, "hi")
    made.commit({"patches/greeter+1.0.0.patch": PATCH.format("Good day")}, "good day")
    for base in ("HEAD~1", "HEAD~2"):
        found = report(made, base)
        assert changes(found) == {"node_modules/greeter/index.js": ["... 2 changed lines"]}
    assert report(made, "HEAD").exit_code == 0


@pytest.mark.long
def test_packages_that_cannot_be_installed_are_not_compared_by_name(
    tmp_path: Path, registry: Registry
) -> None:
    made = shop(tmp_path / "shop", registry)
    changed = depend(registry, "2.0.0")
    changed["package-lock.json"] = changed["package-lock.json"].replace("sha512-", "sha512-AAAA")
    made.commit(changed, "a lock file with a wrong digest")
    found = report(made)
    assert (found.exit_code, found.risk) == (1, "unknown")
    (section,) = found.sections
    assert section.review is not None
    (entry,) = [entry for entry in section.review.entries if entry.risk == "unknown"]
    assert "`greeter` of `package-lock.json` is not compared" in entry.reasons[0].text
    (note,) = found.notes
    assert (note.kind, "package-lock.json could not be installed: npm" in note.text) == (
        "packages",
        True,
    )
    made.commit({"README.md": "not part of the Worker"}, "read me")
    assert report(made).exit_code == 0


def install(folder: Path) -> PackageInstaller:
    installer = PackageInstaller(lambda _text: None)
    installer.install(folder)
    return installer


def checkout(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_packages_are_installed_once_for_all_runs(tmp_path: Path, registry: Registry) -> None:
    said: list[str] = []
    folders = [
        checkout(tmp_path / name, depend(registry, "1.0.0") | {"a.js": IMPORT}) for name in "abc"
    ]
    threads = [
        threading.Thread(target=PackageInstaller(said.append).install, args=(folder,))
        for folder in folders[:2]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.asked.count("/greeter/-/greeter-1.0.0.tgz") == 1
    before = len(said)
    PackageInstaller(said.append).install(folders[2])
    assert said[:1] == ["Installing the npm packages of package-lock.json"]
    assert len(said) == before
    assert len({(folder / "node_modules/greeter").resolve() for folder in folders}) == 1


def test_only_packages_that_a_source_imports_are_installed(
    tmp_path: Path, registry: Registry
) -> None:
    checkout(tmp_path / "a", depend(registry, "1.0.0") | {"a.js": 'import "node:fs";\n'})
    install(tmp_path / "a")
    assert registry.asked == []


KILLED = """
import os, sys
from pathlib import Path
from flowflare.review import package_tools
from flowflare.review.locked_packages import PackageInstaller

real = package_tools.subprocess.run
def run(*args, **options):
    real(*args, **options)
    os.kill(os.getpid(), 9)
package_tools.subprocess.run = run
PackageInstaller(print).install(Path(sys.argv[1]))
"""


def test_a_killed_installation_is_made_again(tmp_path: Path, registry: Registry) -> None:
    folder = checkout(tmp_path / "a", depend(registry, "1.0.0") | {"a.js": IMPORT})
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False, env=os.environ)
    assert (done.returncode, (folder / "node_modules").exists()) == (-9, False)
    assert install(folder).failures == {}
    assert (folder / "node_modules/greeter/index.js").is_file()
    left = [path.suffix for path in (tmp_path / "cache/flowflare").iterdir()]
    assert sorted(left) == ["", ".lock"]


def test_scripts_of_packages_do_not_run(tmp_path: Path, registry: Registry) -> None:
    files = depend(registry, "1.0.0") | {"a.js": IMPORT}
    scripts = {"preinstall": "touch ran", "install": "touch ran", "prepare": "touch ran"}
    files["package.json"] = json.dumps(json.loads(files["package.json"]) | {"scripts": scripts})
    folder = checkout(tmp_path / "a", files)
    assert install(folder).failures == {}
    assert not list((tmp_path / "cache").rglob("ran"))


REFUSED: dict[str, Any] = {
    "from git": (
        {"node_modules/greeter": {"version": "1.0.0", "resolved": "git+ssh://git@shop.example/g"}},
        "greeter is installed from git",
    ),
    "a tarball outside": (
        {"node_modules/greeter": {"version": "1.0.0", "resolved": "file:../../greeter.tgz"}},
        "greeter.tgz is not part of the commit",
    ),
    "a folder outside": (
        {
            "../../greeter": {"version": "1.0.0"},
            "node_modules/greeter": {"version": "1.0.0"},
        },
        "greeter/package.json is not part of the commit",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_commit_must_not_install_is_refused(tmp_path: Path, case: str) -> None:
    packages, why = REFUSED[case]
    checkout(tmp_path / "greeter", {"package.json": "{}"})
    files = {"a.js": IMPORT, "package.json": manifest()}
    lock = {"lockfileVersion": 3, "packages": {"": {}} | packages}
    folder = checkout(tmp_path / "deep/a", files | {"package-lock.json": json.dumps(lock)})
    (said,) = install(folder).failures.values()
    assert said.endswith(why)


@pytest.mark.parametrize(
    ("lock", "text", "why"),
    [
        ("pnpm-lock.yaml", "greeter@1.0.0:\n", "pnpm is not installed"),
        ("yarn.lock", "# yarn lockfile v1\ngreeter@1.0.0:\n", "yarn is not installed"),
        ("bun.lock", '{"greeter": []}', "packages of a bun.lock of this version are not installed"),
    ],
)
def test_a_missing_tool_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str, text: str, why: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = checkout(tmp_path / "a", {"a.js": IMPORT, "package.json": manifest(), lock: text})
    assert install(folder).failures == {lock: why}


def test_a_tool_cannot_fetch_code_from_git(
    tmp_path: Path, bare: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Yarn 1 runs the scripts of such a package, also with `--ignore-scripts`."""
    bare.commit({"prepare.sh": f"touch {tmp_path}/ran\n"})
    yarn = tmp_path / "bin/yarn"
    yarn.parent.mkdir()
    yarn.write_text(f"#!/bin/sh\ngit clone -q {bare.project} made && sh made/prepare.sh\n")
    yarn.chmod(0o755)
    monkeypatch.setenv("PATH", str(yarn.parent), prepend=os.pathsep)
    lock = f"# yarn lockfile v1\ngreeter@git+file://{bare.project}:\n"
    files = {"a.js": IMPORT, "package.json": manifest(), "yarn.lock": lock}
    found = install(checkout(tmp_path / "a", files))
    assert found.failures == {"yarn.lock": "a package is installed from git"}
    assert not (tmp_path / "ran").exists()


def test_settings_of_a_commit_choose_registries_but_no_variables(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = depend(registry, "1.0.0") | {"a.js": IMPORT}
    monkeypatch.delenv("npm_config_registry")
    monkeypatch.setenv("NPM_TOKEN", "canary")
    address = registry.url.removeprefix("http:")
    files[".npmrc"] = (
        f"registry={registry.url}\n{address}/:_authToken=${{NPM_TOKEN}}\n"
        f"@acme:registry={registry.url}/${{NPM_TOKEN}}\n"
    )
    folder = checkout(tmp_path / "a", files)
    assert install(folder).failures == {}
    (settings,) = (tmp_path / "cache").rglob(".npmrc")
    assert settings.read_text() == f"registry={registry.url}\n"
