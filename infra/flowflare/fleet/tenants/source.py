"""Read what is written about the tenants: in `tenants.yaml`, in a folder, or by a command.

All three become one tree of plain values, with the file and line of every key.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from flowflare.config.problems import Path as Position
from flowflare.config.problems import mapping
from flowflare.config.yaml_nodes import ValueReader, YamlText
from flowflare.errors import ConfigError, Problem

FILE: Final = "tenants.yaml"
SAMPLE: Final = """\
defaults:                  # for every tenant; a key without a namespace is Flowflare's
  accountId: 0123456789abcdef0123456789abcdef
  retentionDays: 30
environments:
  dev: {}
  prod:
    config:
      retentionDays: 90
    waves: [1, 10%, 100%]  # one tenant first, then a tenth, then all
tenants:
  acme:                    # its stacks are acme-dev and acme-prod
    tags: [eu]
  beta:
    status: suspended      # switched off, with its data kept
    only: [prod]
"""
_SECONDS: Final = 120
_TENANTS: Final = "tenants"


@dataclass(frozen=True)
class FleetSource:
    """The tree of values as it is written, unchecked.

    Attributes:
        written: the tree, including tenants from a folder or a command.
        places: file and line by position; a position is its parts, each after a dot.
    """

    written: Mapping[str, Any]
    places: Mapping[str, tuple[str, int]]

    def of(self, position: Position) -> str:
        """Return the `file:line` of a position, or of its innermost parent that is written."""
        file, line = self.find(position)
        return f"{file}:{line}"

    def find(self, position: Position) -> tuple[str, int]:
        """Return the file and line of a position, or of its innermost parent that is written."""
        for length in range(len(position), 0, -1):
            place = self.places.get("".join(f".{part}" for part in position[:length]))
            if place:
                return place
        return FILE, 1


def read_source(
    root: Path, environ: Mapping[str, str], problems: list[Problem], *, run: bool = True
) -> FleetSource | None:
    """Read what is written about a project's tenants.

    Args:
        environ: the environment variables for a command that lists the tenants.
        problems: gains what cannot be read.
        run: whether to run that command; if not, it lists no tenants.

    Returns:
        The tree; None if the file itself is unusable.

    Raises:
        ConfigError: the file does not exist; the error contains a sample.
    """
    file = root / FILE
    if not file.exists():
        raise ConfigError([_report_missing(root)])
    written, places = _read_values(YamlText.read(file, problems), FILE, "", problems)
    if written is None:
        return None
    listed = written.get(_TENANTS)
    match listed:
        case {"folder": str(folder)}:
            found = _read_folder(root, folder, places, problems)
        case {"command": list(words)} if words and all(isinstance(word, str) for word in words):
            found = _run_command(root, words, environ, places, problems) if run else {}
        case _:
            return FleetSource(written, places)
    return FleetSource({**written, _TENANTS: found}, places)


def _read_values(
    written: YamlText | None, file: str, path: str, problems: list[Problem]
) -> tuple[dict[str, Any] | None, dict[str, tuple[str, int]]]:
    """Read a document's tree below a path; None, with a problem, if it is not a mapping."""
    node = written.parse(problems) if written else None
    if node is None:
        return {}, {}
    if not isinstance(node, yaml.MappingNode):
        place = f"{file}:{node.start_mark.line + 1}"
        problems.append(Problem(place, "has no keys", f"`flowflare docs fleet` describes {FILE}."))
        return None, {}
    reader = ValueReader(file, problems)
    value = reader.value(node, path, node.start_mark.line + 1)
    return mapping(value), reader.places


def _read_folder(
    root: Path, folder: str, places: dict[str, tuple[str, int]], problems: list[Problem]
) -> dict[str, Any]:
    line = places[f".{_TENANTS}.folder"][1]
    if not (root / folder).is_dir():
        message = f"`tenants.folder`: there is no folder {folder!r}"
        remedy = "Create it, with a file for each tenant: acme.yaml"
        problems.append(Problem(f"{FILE}:{line}", message, remedy))
        return {}
    found: dict[str, Any] = {}
    for path in sorted((root / folder).iterdir()):
        if path.suffix != ".yaml" or path.name.startswith("."):
            continue
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        inside: list[Problem] = []
        written, at = YamlText.read(path, inside), f".{_TENANTS}.{path.stem}"
        value, own = _read_values(written, shown, at, inside)
        problems += [
            Problem(_add_folder(shown, path.name, problem), problem.message, problem.remedy)
            for problem in inside
        ]
        found[path.stem] = value or {}
        places |= {at: (shown, 1)} | own
    return found


def _add_folder(shown: str, name: str, problem: Problem) -> str:
    """Return a problem's place with the file's folder."""
    place = problem.place
    return place if place.startswith(shown) else shown + place.removeprefix(name)


def _run_command(
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
        why = getattr(error, "strerror", None) or f"it took more than {_SECONDS} s"
        message = f"`tenants.command`: `{shown}` failed: {why}"
        remedy = "Paths in it are relative to the project's folder."
        problems.append(Problem(place, message, remedy))
        return {}
    if done.returncode != 0:
        last_lines = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
        message = f"`tenants.command`: `{shown}` ended with exit code {done.returncode}"
        remedy = " ".join(last_lines) or "It printed no error message."
        problems.append(Problem(place, message, remedy))
        return {}
    name = f"output of {shown}"
    inside: list[Problem] = []
    text = done.stdout.decode("utf-8", "replace")
    value, own = _read_values(YamlText(name, _replace_tabs(text)), name, f".{_TENANTS}", inside)
    problems += inside
    places |= own
    return value or {}


def _replace_tabs(text: str) -> str:
    """Replace the tabs of JSON, which YAML forbids as indentation; strings cannot contain any."""
    return text.replace("\t", " ") if text.lstrip().startswith("{") else text


def _report_missing(root: Path) -> Problem:
    sample = SAMPLE.replace("\n", "\n    ").rstrip()
    remedy = f"It lists the fleet's tenants. Start with a small one:\n\n    {sample}\n"
    return Problem(FILE, f"the file does not exist in {root}", remedy)
