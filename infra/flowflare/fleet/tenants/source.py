"""Finds what people wrote about the tenants: in `tenants.yaml`, in a folder, or from a command.

Whatever it is, it becomes one tree of plain values, with file and line of every key in it.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from flowflare.config.problems import Path as Position
from flowflare.config.problems import mapping
from flowflare.config.yaml_nodes import ValueReader, read_text, read_tree
from flowflare.errors import ConfigError, Problem

FILE: Final = "tenants.yaml"
SAMPLE: Final = """\
defaults:                  # what every tenant has; a key without a namespace is Flowflare's
  accountId: 0123456789abcdef0123456789abcdef
  retentionDays: 30
environments:
  dev: {}
  prod:
    config:
      retentionDays: 90
    waves: [1, 10%, 100%]  # one tenant first, then a tenth of them, then all
tenants:
  acme:                    # its stacks are acme-dev and acme-prod
    tags: [eu]
  beta:
    status: suspended      # switched off, its data kept
    only: [prod]
"""
_SECONDS: Final = 120
_TENANTS: Final = "tenants"


@dataclass(frozen=True)
class Source:
    """What is written, unchecked.

    Attributes:
        written: the tree, the tenants in it wherever they stood.
        places: file and line by position, its parts joined by dots and with one in front.
    """

    written: Mapping[str, Any]
    places: Mapping[str, tuple[str, int]]

    def of(self, position: Position) -> str:
        """`file:line` of the innermost key on the way to a position."""
        file, line = self.found(position)
        return f"{file}:{line}"

    def found(self, position: Position) -> tuple[str, int]:
        """File and line of the innermost key on the way to a position."""
        for length in range(len(position), 0, -1):
            place = self.places.get("".join(f".{part}" for part in position[:length]))
            if place:
                return place
        return FILE, 1


def read_source(root: Path, environ: Mapping[str, str], problems: list[Problem]) -> Source | None:
    """Reads what is written about a project's tenants.

    Args:
        root: the project's folder.
        environ: the environment of a command that lists them.
        problems: gains what cannot be read.

    Returns:
        The tree; None where the file itself cannot be used.

    Raises:
        ConfigError: there is no file; the error explains it with a sample.
    """
    file = root / FILE
    if not file.exists():
        raise ConfigError([_no_file(root)])
    written, places = _values(read_tree(file, problems), FILE, "", problems)
    if written is None:
        return None
    listed = written.get(_TENANTS)
    match listed:
        case {"folder": str(folder)}:
            found = _of_folder(root, folder, places, problems)
        case {"command": list(words)} if words and all(isinstance(one, str) for one in words):
            found = _of_command(root, words, environ, places, problems)
        case _:
            return Source(written, places)
    return Source({**written, _TENANTS: found}, places)


def _values(
    node: yaml.Node | None, file: str, path: str, problems: list[Problem]
) -> tuple[dict[str, Any] | None, dict[str, tuple[str, int]]]:
    """A document's tree below a path; None, with a problem, for what is no mapping."""
    if node is None:
        return {}, {}
    if not isinstance(node, yaml.MappingNode):
        place = f"{file}:{node.start_mark.line + 1}"
        problems.append(
            Problem(place, "holds no keys", f"`flowflare docs fleet` shows what {FILE} holds.")
        )
        return None, {}
    reader = ValueReader(file, problems)
    value = reader.value(node, path, node.start_mark.line + 1)
    return mapping(value), reader.places


def _of_folder(
    root: Path, folder: str, places: dict[str, tuple[str, int]], problems: list[Problem]
) -> dict[str, Any]:
    line = places[f".{_TENANTS}.folder"][1]
    if not (root / folder).is_dir():
        message = f"`tenants.folder`: there is no folder {folder!r}"
        remedy = "Make it, with one file for each tenant: acme.yaml"
        problems.append(Problem(f"{FILE}:{line}", message, remedy))
        return {}
    found: dict[str, Any] = {}
    for path in sorted((root / folder).iterdir()):
        if path.suffix != ".yaml" or path.name.startswith("."):
            continue
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        inside: list[Problem] = []
        value, own = _values(read_tree(path, inside), shown, f".{_TENANTS}.{path.stem}", inside)
        problems += [Problem(_in(shown, path.name, one), one.message, one.remedy) for one in inside]
        found[path.stem] = value or {}
        places |= {f".{_TENANTS}.{path.stem}": (shown, 1)} | own
    return found


def _in(shown: str, name: str, problem: Problem) -> str:
    """A problem's place with the file's folder."""
    place = problem.place
    return place if place.startswith(shown) else shown + place.removeprefix(name)


def _of_command(
    root: Path,
    words: list[str],
    environ: Mapping[str, str],
    places: dict[str, tuple[str, int]],
    problems: list[Problem],
) -> dict[str, Any]:
    place = f"{FILE}:{places[f'.{_TENANTS}.command'][1]}"
    shown = " ".join(words)
    try:
        done = subprocess.run(
            words, cwd=root, env=dict(environ), capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = getattr(error, "strerror", None) or f"takes more than {_SECONDS} s"
        message = f"`tenants.command`: `{shown}` cannot be used: {why}"
        problems.append(Problem(place, message, "A path in it begins at the project's folder."))
        return {}
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
        message = f"`tenants.command`: `{shown}` ended with exit code {done.returncode}"
        problems.append(Problem(place, message, " ".join(said) or "It said nothing about it."))
        return {}
    name = f"output of {shown}"
    inside: list[Problem] = []
    text = done.stdout.decode("utf-8", "replace")
    value, own = _values(read_text(_spaced(text), name, inside), name, f".{_TENANTS}", inside)
    problems += inside
    places |= own
    return value or {}


def _spaced(text: str) -> str:
    """JSON may be indented with tabs, YAML may not; no text of JSON has a bare tab in it."""
    return text.replace("\t", " ") if text.lstrip().startswith("{") else text


def _no_file(root: Path) -> Problem:
    sample = SAMPLE.replace("\n", "\n    ").rstrip()
    remedy = f"It lists the fleet's tenants. A small one to begin with:\n\n    {sample}\n"
    return Problem(FILE, f"there is no such file in {root}", remedy)
