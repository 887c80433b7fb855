"""npm packages in the commit itself: a change of one is never reported as "Nothing changes"."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flowflare.review.checkout import find_repository
from flowflare.review.commits import CommitQuery, compare_commits
from flowflare.review.report import Report
from tests.review.conftest import Repo, track_tenants

ORDERS = "worker_src/orders/src/index.js"
SHARED = "../packages/shared"


def package(**fields: Any) -> str:
    return json.dumps({"private": True, "type": "module", **fields})


def lock(version: str) -> str:
    """Write a lock file whose packages are not installed, because one comes from git."""
    greeter = {"version": version, "resolved": f"git+ssh://shop.example/g#{version}"}
    return json.dumps({"lockfileVersion": 3, "packages": {"node_modules/greeter": greeter}})


def workspace(top: Path, *, main: str = "index.js", source: str = "index.js") -> Repo:
    """Make a repository with the project in `deploy` and a package in `packages/shared`."""
    made = track_tenants(top, "deploy")
    code = 'import { rate } from "@acme/shared";\nimport { say } from "greeter";\nsay(rate);\n'
    index = (made.project / ORDERS).read_text("utf-8")
    files = {
        "../package.json": package(name="root", workspaces=["packages/*", "deploy"]),
        "../package-lock.json": lock("1.0.0"),
        "../.gitignore": "node_modules\n",
        "package.json": package(name="deploy", dependencies={"@acme/shared": "*"}),
        f"{SHARED}/package.json": package(name="@acme/shared", version="1.0.0", main=main),
        f"{SHARED}/{source}": "export const rate = 1;\n",
        ORDERS: code + index,
        "Pulumi.bea.yaml": None,
    }
    made.commit(files, "workspace")
    return made


def report(repo: Repo) -> Report:
    return compare_commits(repo.project, CommitQuery("HEAD~1"))


def lines(found: Report) -> list[str]:
    """List the changed lines of code of all sections."""
    return [
        line
        for section in found.sections
        for entry in (section.review.entries if section.review else ())
        for difference in entry.differences
        for line in difference.lines
        if line[0] in "+-"
    ]


def test_a_changed_workspace_package_is_bundled_from_each_commit(tmp_path: Path) -> None:
    made = workspace(tmp_path / "repo")
    made.commit({f"{SHARED}/index.js": "export const rate = 2;\n"}, "another rate")
    found = report(made)
    assert (found.exit_code, found.risk) == (2, "safe")
    assert lines(found) == ["-var rate = 1;", "+var rate = 2;"]
    assert str(tmp_path) not in found.model_dump_json()


@pytest.mark.long
def test_a_package_that_must_be_built_makes_its_worker_unknown(tmp_path: Path) -> None:
    made = workspace(tmp_path / "repo", main="dist/index.js", source="src/index.ts")
    made.commit({f"{SHARED}/src/index.ts": "export const rate = 2;\n"}, "another rate")
    found = report(made)
    assert (found.exit_code, found.risk) == (1, "unknown")
    (section,) = found.sections
    assert section.review is not None
    (entry,) = [entry for entry in section.review.entries if entry.risk == "unknown"]
    assert (entry.name, entry.kind) == ("flowflare-orders-script", "WorkersScript")
    assert "`@acme/shared` in `packages/shared` is not compared" in entry.reasons[0].text
    made.commit({"../README.md": "not part of the Worker"}, "read me")
    assert report(made).exit_code == 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"../package-lock.json": lock("2.0.0")},
            [
                "-// greeter 1.0.0 git+ssh://shop.example/g#1.0.0",
                "+// greeter 2.0.0 git+ssh://shop.example/g#2.0.0",
            ],
        ),
        (
            {"../patches/greeter+1.0.0.patch": "-say\n+shout\n"},
            ["+// patches/greeter+1.0.0.patch sha256 ..."],
        ),
    ],
    ids=["a lock file above the project", "a patch"],
)
def test_changes_of_packages_that_are_not_installed_are_listed_and_unknown(
    tmp_path: Path, files: dict[str, str | None], said: list[str]
) -> None:
    made = workspace(tmp_path / "repo")
    made.commit(files, "packages")
    found = report(made)
    changed = [re.sub(r"sha256 [0-9a-f]{64}", "sha256 ...", line) for line in lines(found)]
    place = "greeter in ../package-lock.json, sha256 ..."
    marks = {f"-// not compared: {place}", f"+// not compared: {place}"}
    assert (found.exit_code, {*changed}) == (1, {*said} | marks)


def check_out_top(repo: Repo, folder: Path) -> Path:
    found = find_repository(repo.project)
    return found.check_out(found.find_commit("HEAD"), folder).top


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"package.json": package(workspaces=["libs/*"])}, "node_modules"),
        ({"package.json": package(workspaces={"packages": ["./libs/{a,b}"]})}, "node_modules"),
        ({"package.json": package(workspaces=["**"])}, "node_modules"),
        ({"pnpm-workspace.yaml": "packages: ['libs/**', '!libs/b']\n"}, "node_modules"),
        ({"app/package.json": package(dependencies={"a": "file:../libs/a"})}, "app/node_modules"),
        ({"app/package.json": package(dependencies={"a": "link:../libs/a"})}, "app/node_modules"),
        (
            {"app/package.json": package(devDependencies={"a": "workspace:../libs/a"})},
            "app/node_modules",
        ),
    ],
)
def test_every_kind_of_local_package_is_linked(
    bare: Repo, tmp_path: Path, files: dict[str, str | None], place: str
) -> None:
    own = {"libs/a/package.json": package(name="a"), "libs/a/index.js": "", "Pulumi.yaml": ""}
    bare.commit(own | files)
    top = check_out_top(bare, tmp_path / "out")
    assert (top / place / "a").resolve() == (top / "libs/a").resolve()


def test_a_commit_links_and_writes_nothing_outside_the_checkout(bare: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "x").mkdir(parents=True)
    (outside / "x/package.json").write_text(package(name="x"))
    specs = {"x": f"file:{outside}/x", "../../../../outside/y": "file:a", "z": "link:../outside/x"}
    bare.commit(
        {
            "package.json": package(dependencies=specs, workspaces=["a", "../*"]),
            "a/package.json": package(name="../../../../outside/y"),
            "Pulumi.yaml": "",
        }
    )
    top = check_out_top(bare, tmp_path / "out")
    assert sorted(path.name for path in outside.iterdir()) == ["x"]
    assert sorted(path.name for path in top.iterdir()) == [*("Pulumi.yaml", "a", "package.json")]
