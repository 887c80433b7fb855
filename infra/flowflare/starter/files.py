"""List the files of a new project: program, example client, and what its repository needs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flowflare import library
from flowflare.errors import FlowflareError
from flowflare.reading.files import read_bytes, read_text
from flowflare.reading.json_text import parse_json
from flowflare.render.templates import JavaScript, render
from flowflare.starter.ci import Ci
from flowflare.starter.pin import VENDOR, PinnedWheel
from flowflare.starter.write import StarterFile

#: The file that says that a folder has a project. It is written last.
PROJECT_FILE: Final = "Pulumi.yaml"
_EXAMPLE: Final = "worker_src/orders"
#: Each file of a new project that is written from a template, by the template's name.
_PROGRAM: Final[Mapping[str, str]] = {
    "infra/__main__.py": "infra/__main__.py.j2",
    "Pulumi.local.yaml": "Pulumi.local.yaml.j2",
}
_REPOSITORY: Final[Mapping[str, str]] = {
    ".gitignore": "gitignore",
    "README.md": "README.md.j2",
    "tsconfig.json": "tsconfig.json",
    "worker_src/modules.d.ts": "modules.d.ts",
}
#: What must not be committed. `.flowflare/` has a `.gitignore` of its own.
_IGNORED: Final = (".venv/", "node_modules/")
#: The npm packages that check the types of a project's clients.
_TYPE_CHECKERS: Final = ("@cloudflare/workers-types", "@types/node", "typescript")


_WORKFLOWS: Final[Mapping[Ci, Mapping[str, str]]] = {
    Ci.github: {
        f".github/workflows/{name}.yml": f"github/{name}.yml"
        for name in ("plan", "comment", "up", "drift", "fleet")
    },
    Ci.gitlab: {".gitlab-ci.yml": "gitlab-ci.yml"},
    Ci.none: {},
}


def list_program(project: str, root: Path) -> list[StarterFile]:
    """List the program, the example client and the configuration, `Pulumi.yaml` last.

    Args:
        root: the project's folder, whose own `templates/` take precedence.
    """
    values = {"project": project}
    example = library.folder("worker_src") / "orders"
    return [
        *_read_templates(_PROGRAM, values, root),
        *(
            StarterFile(f"{_EXAMPLE}/{path.relative_to(example).as_posix()}", read_bytes(path))
            for path in sorted(example.rglob("*"))
            if path.is_file() and "node_modules" not in path.parts
        ),
        *_read_templates({PROJECT_FILE: "Pulumi.yaml.j2"}, values, root),
    ]


def list_repository(
    project: str, ci: Ci, wheel: PinnedWheel | None, root: Path
) -> list[StarterFile]:
    """List what the project's repository needs besides the program.

    Args:
        ci: the service that runs its workflows.
        wheel: the wheel to install; None if it is unknown, which gives no requirements.
    """
    values = {"title": JavaScript(project), "ci": str(ci)}
    return [
        *_read_templates(_REPOSITORY, values, root),
        *_read_templates(_WORKFLOWS[ci], values, root),
        *_list_npm_files(root),
        *(_list_requirements(wheel, root) if wheel else ()),
    ]


def find_repository_above(root: Path) -> Path | None:
    """Return the top folder of the git repository that the project is only a part of, or None."""
    folders = [root.resolve(), *root.resolve().parents]
    top = next((folder for folder in folders if (folder / ".git").exists()), None)
    return None if top == folders[0] else top


def list_unignored(root: Path) -> list[str]:
    """List the folders that the project's `.gitignore` does not name, but should."""
    named = {line.strip("/* ") for line in read_text(root / ".gitignore").splitlines()}
    return [folder for folder in _IGNORED if folder.strip("/") not in named]


def _read_templates(
    templates: Mapping[str, str], values: Mapping[str, object], root: Path
) -> Iterator[StarterFile]:
    for path, name in templates.items():
        if name.endswith(".j2"):
            yield StarterFile(path, render(f"starter/{name}", values, root=root).encode())
        else:
            yield StarterFile(path, read_bytes(library.folder("templates") / "starter" / name))


def _list_requirements(wheel: PinnedWheel, root: Path) -> Iterator[StarterFile]:
    requirements, vendored = root / "requirements.txt", root / VENDOR / wheel.name
    if wheel.content is not None and not requirements.exists():
        if vendored.exists() and read_bytes(vendored) != wheel.content:
            message = f"{vendored} exists and is another wheel; nothing was written"
            raise FlowflareError(message, remedy="Remove it, or name it: --wheel " + str(vendored))
        yield StarterFile(f"{VENDOR}/{wheel.name}", wheel.content)
    yield StarterFile(requirements.name, wheel.write_requirements().encode())


def _list_npm_files(root: Path) -> Iterator[StarterFile]:
    """Write a `package.json` with the checkers of types, and its lock: a part of this release's.

    A project with another `package.json` has a lock of its own, or none.
    """
    own = library.node_project()
    versions = parse_json(read_text(own / "package.json"))["devDependencies"]
    wanted = {name: versions[name] for name in _TYPE_CHECKERS}
    package = {
        "private": True,
        "scripts": {"types": "flowflare types && tsc"},
        "devDependencies": wanted,
    }
    lock = parse_json(read_text(own / "package-lock.json"))
    entries: dict[str, Any] = {"": {"devDependencies": wanted}}
    waiting = list(wanted)
    while waiting:
        key = f"node_modules/{waiting.pop()}"
        entry = {k: v for k, v in lock["packages"][key].items() if k != "devOptional"}
        entries[key] = {**entry, "dev": True}
        waiting += [*entry.get("dependencies", ()), *entry.get("optionalDependencies", ())]
    locked = {"lockfileVersion": 3, "requires": True, "packages": dict(sorted(entries.items()))}
    files = [
        StarterFile(path, f"{json.dumps(value, indent=2)}\n".encode())
        for path, value in {"package.json": package, "package-lock.json": locked}.items()
    ]
    own_package = root / files[0].path
    is_other = own_package.exists() and read_bytes(own_package) != files[0].content
    yield from files[:1] if is_other else files
