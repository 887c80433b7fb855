"""Makes the stacks' files of a fleet: what they must say, what they say now, and writes them.

A plain `pulumi up -s acme-prod` reads nothing else, so it does what the fleet's commands do. What
belongs to Pulumi in such a file is kept: ciphertexts, the salt and the secrets provider.
"""

import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from flowflare.config.engine import ENGINE, engine_named
from flowflare.config.files import Base, Project, as_text, private_folder, read_base
from flowflare.config.problems import mapping
from flowflare.config.secure import is_secure
from flowflare.config.yaml_nodes import unreadable
from flowflare.errors import ConfigError, FleetError, Problem
from flowflare.fleet.engines import BASE_URL, address_problem
from flowflare.fleet.tenants.model import Fleet, stack_of
from flowflare.fleet.tenants.stack_text import MARK, parsed, stack_text
from flowflare.reading.files import UnusableFileError, open_lock, read_bytes, read_text

Kind = Literal["new", "changed", "same", "stale"]
_CONFIG: Final = "config"
_NAMED: Final = 5


@dataclass(frozen=True)
class StackFile:
    """The file of one stack.

    Attributes:
        path: the file.
        text: what it must hold; empty for one that is stale.
        kind: `new` where there is none, `changed` where it says something else, `same`, or `stale`
            where the fleet wrote it and has no such stack any more.
        stack: the stack's name.
        before: what it holds now; empty for a new one.
    """

    path: Path
    text: str
    kind: Kind
    stack: str
    before: str = ""


def stack_files(fleet: Fleet, root: Path, environment: str | None = None) -> tuple[StackFile, ...]:
    """What the files of a fleet's stacks must hold, by stack, and those that are stale.

    Args:
        fleet: the fleet.
        root: the folder of `Pulumi.yaml`.
        environment: only files of that environment; None for all.

    Raises:
        ConfigError: files that are no YAML, or that somebody wrote by hand and that have keys
            which the fleet does not have: every one of them.
    """
    base = read_base(root)
    problems: list[Problem] = []
    files = []
    for tenant in fleet.tenants:
        for name, config in tenant.config.items():
            if environment in (None, name):
                stack = stack_of(tenant.name, name)
                path = base.stack_folder / f"Pulumi.{stack}.yaml"
                files.append(_file(path, stack, config, base, problems))
    if problems:
        raise ConfigError(problems)
    stale = _stale(base, frozenset(fleet.stacks()), environment)
    return tuple(sorted([*files, *stale], key=lambda one: one.stack))


def write(files: Iterable[StackFile], root: Path) -> tuple[StackFile, ...]:
    """Writes those that are new or changed, each in one step; stale ones are left alone.

    Args:
        files: what `stack_files` says.
        root: the folder of `Pulumi.yaml`.

    Returns:
        Those that were written.
    """
    needed = tuple(one for one in files if one.kind in ("new", "changed"))
    if not needed:
        return ()
    folder = private_folder(root)
    with open_lock(folder / "fleet-config.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # One at a time writes here, so what a killed one left is written over.
        draft = folder / "fleet-config.draft"
        for one in needed:
            _replace(one, draft)
    return needed


def refuse_outdated(files: Iterable[StackFile]) -> None:
    """Stops a command over stacks whose files are not as they should be.

    Raises:
        FleetError: some are new or changed.
    """
    needed = [one.path.name for one in files if one.kind in ("new", "changed")]
    if not needed:
        return
    more = f" and {len(needed) - _NAMED} more" if len(needed) > _NAMED else ""
    message = f"not as tenants.yaml says: {', '.join(needed[:_NAMED])}{more}"
    raise FleetError(message, remedy="Write them, look at the diff: flowflare fleet config")


def refuse_single(project: Project) -> None:
    """Stops a command that would write to a file which the next `fleet config` writes anew.

    Raises:
        FleetError: the stack is a fleet's.
    """
    if read_text(project.stack_file).startswith(MARK):
        raise FleetError(
            f"{project.stack_file.name} is written from tenants.yaml, and so are its API keys",
            remedy="Set apiKeys and apiKeyInUse there, step by step: flowflare docs fleet",
        )


def _file(
    path: Path, stack: str, config: Mapping[str, Any], base: Base, problems: list[Problem]
) -> StackFile:
    plain = stack_text(config, {})
    try:
        before = read_text(path)
    except FileNotFoundError:
        return StackFile(path, plain, "new", stack)
    except UnusableFileError as error:
        problems.append(unreadable(path, error))
        return StackFile(path, plain, "changed", stack)
    if before == plain:
        return StackFile(path, plain, "same", stack, before)
    present = parsed(path.name, before, problems)
    own = mapping(present.pop(_CONFIG, None))
    is_ours = before.startswith(MARK)
    wanted = _with_secrets(config, own, base)
    engine = engine_named(wanted.get(ENGINE))
    if is_secure(wanted.get(BASE_URL)) and engine.needs_cli:
        # `tenants.yaml` does not name it, so that only the file shows it.
        problem = address_problem(path.name, "", engine)
        problems += [problem] if problem else []
    if not is_ours:
        problems += _lost(path, own, wanted, base)
    text = stack_text(wanted, present)
    said = {_named(key, base): as_text(value) for key, value in own.items()}
    unchanged = is_ours and said == {key: as_text(value) for key, value in wanted.items()}
    if unchanged and text != before:
        # Pulumi's CLI lays a file out in its own way, numbers as texts; that changes nothing.
        return StackFile(path, before, "same", stack, before)
    return StackFile(path, text, "same" if text == before else "changed", stack, before)


def _named(key: str, base: Base) -> str:
    """A key as Pulumi knows it: without a namespace it is the project's."""
    return key if ":" in key else f"{base.name}:{key}"


def _with_secrets(config: Mapping[str, Any], own: Mapping[str, Any], base: Base) -> dict[str, Any]:
    """The fleet's configuration with the ciphertexts that a file holds.

    What the fleet says of a key, or of a place inside it, goes before a ciphertext there.
    """
    wanted = dict(config)
    for key, value in own.items():
        name = _named(key, base)
        found, kept = _kept(wanted.get(name), value, is_given=name in wanted)
        if found:
            wanted[name] = kept
    ours = [key for key in wanted if key in config]
    return {key: wanted[key] for key in [*ours, *sorted(wanted.keys() - config.keys())]}


def _kept(given: Any, present: Any, *, is_given: bool) -> tuple[bool, Any]:
    """A value of the fleet's with the ciphertexts of the present one; whether it has any."""
    if is_secure(present):
        return not is_given, given if is_given else present
    if isinstance(present, list) and isinstance(given, list) and len(given) == len(present):
        pairs = [_kept(new, old, is_given=True) for new, old in zip(given, present, strict=True)]
        return any(found for found, _ in pairs), [value for _, value in pairs]
    if not isinstance(present, dict) or (is_given and not isinstance(given, dict)):
        return False, given
    merged, any_found = dict(given or {}), False
    for name, item in present.items():
        found, value = _kept(merged.get(name), item, is_given=name in merged)
        if found:
            any_found, merged[name] = True, value
    return any_found, merged


def _lost(
    path: Path, own: Mapping[str, Any], wanted: Mapping[str, Any], base: Base
) -> list[Problem]:
    """Keys of a file written by hand that would go."""
    lost = sorted(key for key in own if _named(key, base) not in wanted)
    if not lost:
        return []
    keys = ", ".join(f"`{key}`" for key in lost)
    message = f"was not written by `flowflare fleet config`, and {keys} would be lost"
    return [Problem(path.name, message, "Move them to tenants.yaml, or take them out.")]


def _stale(base: Base, stacks: frozenset[str], environment: str | None) -> list[StackFile]:
    found = []
    for path in sorted(base.stack_folder.glob("Pulumi.*.yaml")):
        stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        if stack in stacks or (environment and not stack.endswith(f"-{environment}")):
            continue
        text = read_bytes(path).decode("utf-8", "replace")
        if text.startswith(MARK):
            found.append(StackFile(path, "", "stale", stack, text))
    return found


def _replace(file: StackFile, draft: Path) -> None:
    with draft.open("w", encoding="utf-8", newline="") as stream:
        stream.write(file.text)
        stream.flush()
        if file.kind == "changed":
            # What it keeps, the salt for one, can be made by nobody once it is lost.
            os.fsync(stream.fileno())
    if file.kind == "changed":
        draft.chmod(file.path.stat().st_mode & 0o7777)
    draft.replace(file.path)
