"""Generate, compare and write the stack files of a fleet.

A plain `pulumi up -s acme-prod` reads only these files, so it does the same as the fleet's
commands. What Pulumi has written to a file is kept: ciphertexts, the salt and the secrets provider.
"""

import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from flowflare.config.edit import Keys
from flowflare.config.engine import ENGINE, engine_named
from flowflare.config.files import Project, ProjectFile, private_folder
from flowflare.config.problems import mapping
from flowflare.config.values import as_text, is_secure
from flowflare.config.yaml_nodes import YamlText, describe_read_error
from flowflare.errors import ConfigError, FleetError, Problem
from flowflare.fleet.engines import BASE_URL, find_address_problem
from flowflare.fleet.tenants.model import Fleet, stack_of
from flowflare.fleet.tenants.stack_text import MARK, read_keys, stack_text
from flowflare.reading.files import UnusableFileError, open_lock, read_bytes, read_text
from flowflare.values.wording import list_some

FileState = Literal["new", "changed", "same", "stale"]
_CONFIG: Final = "config"
_LISTED: Final = 5


@dataclass(frozen=True)
class StackFile:
    """The file of one stack.

    Attributes:
        text: the wanted content; empty for a stale file.
        kind: `new` if the file does not exist, `changed` if its content differs, `same` if it is
            up to date, or `stale` if the fleet wrote it but no longer has the stack.
        present: the file as it is; None for a new or unusable file.
    """

    path: Path
    text: str
    kind: FileState
    stack: str
    present: YamlText | None = None

    @property
    def before(self) -> str:
        """The present content; empty for a new file."""
        return self.present.text if self.present else ""


def stack_files(fleet: Fleet, environment: str | None = None) -> tuple[StackFile, ...]:
    """Return the files of a fleet's stacks and the stale files, sorted by stack.

    Args:
        environment: only files of that environment; None for all.

    Raises:
        ConfigError: files are not YAML, or were written by hand and have keys that the fleet does
            not have; the error lists all of them.
    """
    base = fleet.project
    problems: list[Problem] = []
    files = []
    for tenant in fleet.tenants:
        for name, config in tenant.config.items():
            if environment in (None, name):
                stack = stack_of(tenant.name, name)
                files.append(_file(stack, config, base, problems))
    if problems:
        raise ConfigError(problems)
    stale = _find_stale(base, frozenset(fleet.stacks()), environment)
    return tuple(sorted([*files, *stale], key=lambda file: file.stack))


def write(files: Iterable[StackFile], root: Path) -> tuple[StackFile, ...]:
    """Write new and changed files, each atomically; stale files are kept.

    Args:
        files: the files, from `stack_files`.
        root: the folder of `Pulumi.yaml`.

    Returns:
        The files that were written.
    """
    needed = tuple(file for file in files if file.kind in ("new", "changed"))
    if not needed:
        return ()
    folder = private_folder(root)
    with open_lock(folder / "fleet-config.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Only the process with the lock writes the draft, so a killed process's draft is replaced.
        draft = folder / "fleet-config.draft"
        for file in needed:
            _replace(file, draft)
    return needed


def refuse_outdated(files: Iterable[StackFile]) -> None:
    """Refuse to work on stacks whose files are outdated.

    Raises:
        FleetError: some files are new or changed.
    """
    needed = [file.path.name for file in files if file.kind in ("new", "changed")]
    if not needed:
        return
    message = f"out of date with tenants.yaml: {list_some(needed, _LISTED)}"
    raise FleetError(message, remedy="Write them and review the diff: flowflare fleet config")


def refuse_single(project: Project) -> None:
    """Refuse to change a stack's file that the next `fleet config` would overwrite.

    Raises:
        FleetError: the stack belongs to a fleet.
    """
    if is_of_fleet(project):
        raise FleetError(
            f"{project.stack_file.name} is generated from tenants.yaml",
            remedy="Change it there, then: flowflare fleet config. For API keys: flowflare fleet "
            "secrets rotate",
        )


def refuse_copies(project: Project, values: Mapping[Keys, Any]) -> None:
    """Refuse to write into a fleet's file what the next `fleet config` would drop.

    Args:
        values: what would be written; only ciphertexts stay in the file.

    Raises:
        FleetError: the stack belongs to a fleet, and other values would be written too.
    """
    if not is_of_fleet(project):
        return
    for keys, value in values.items():
        if _has_other(value):
            raise FleetError(
                f"{project.stack_file.name} is generated from tenants.yaml, and the values beside "
                "this secret would be lost",
                remedy=f"Write {'.'.join(keys)} with them into tenants.yaml, run flowflare fleet "
                "config, and set the secret then.",
            )


def refuse_removal(project: Project) -> None:
    """Refuse to remove a stack that the next `fleet config` would write again.

    Raises:
        FleetError: the stack belongs to a fleet.
    """
    if is_of_fleet(project):
        raise FleetError(
            f"{project.stack_file.name} is generated from tenants.yaml",
            remedy="Remove the tenant there, then: flowflare fleet config --prune",
        )


def is_of_fleet(project: Project) -> bool:
    """Return whether a stack's file was written by the fleet."""
    return project.stack_text.startswith(MARK)


def _has_other(value: Any) -> bool:
    if isinstance(value, dict) and not is_secure(value):
        return any(map(_has_other, value.values()))
    return not is_secure(value)


def _file(
    stack: str, config: Mapping[str, Any], base: ProjectFile, problems: list[Problem]
) -> StackFile:
    path, plain = base.stack_file(stack), stack_text(config, {})
    try:
        present = YamlText(path.name, read_text(path))
    except FileNotFoundError:
        return StackFile(path, plain, "new", stack)
    except UnusableFileError as error:
        problems.append(describe_read_error(path, error))
        return StackFile(path, plain, "changed", stack)
    if present.text == plain:
        return StackFile(path, plain, "same", stack, present)
    kept = read_keys(present, problems)
    own = mapping(kept.pop(_CONFIG, None))
    is_ours = present.text.startswith(MARK)
    wanted = _merge_secrets(config, own, base)
    engine = engine_named(wanted.get(ENGINE))
    if is_secure(wanted.get(BASE_URL)) and engine.needs_cli:
        # `tenants.yaml` does not set the address, so the problem's place is the stack's file.
        problem = find_address_problem(path.name, "", engine)
        problems += [problem] if problem else []
    if not is_ours:
        problems += _find_lost(path, own, wanted, base)
    text = stack_text(wanted, kept)
    values = {_full_key(key, base): as_text(value) for key, value in own.items()}
    unchanged = is_ours and values == {key: as_text(value) for key, value in wanted.items()}
    if unchanged:
        # The Pulumi CLI formats a file differently, with numbers as strings; the values are equal.
        return StackFile(path, present.text, "same", stack, present)
    kind: FileState = "same" if text == present.text else "changed"
    return StackFile(path, text, kind, stack, present)


def _full_key(key: str, base: ProjectFile) -> str:
    """Return a key with its namespace, which is the project's name if the key has none."""
    return key if ":" in key else f"{base.name}:{key}"


def _merge_secrets(
    config: Mapping[str, Any], own: Mapping[str, Any], base: ProjectFile
) -> dict[str, Any]:
    """Merge the ciphertexts of a file into the fleet's configuration.

    A value that the fleet sets for a key, or inside it, takes precedence over a ciphertext there.
    """
    wanted = dict(config)
    for key, value in own.items():
        name = _full_key(key, base)
        found, merged = _merge_value(wanted.get(name), value, is_given=name in wanted)
        if found:
            wanted[name] = merged
    ours = [key for key in wanted if key in config]
    return {key: wanted[key] for key in [*ours, *sorted(wanted.keys() - config.keys())]}


def _merge_value(given: Any, present: Any, *, is_given: bool) -> tuple[bool, Any]:
    """Merge the ciphertexts of a present value into the fleet's value; return whether any exist."""
    if is_secure(present):
        return not is_given, given if is_given else present
    if isinstance(present, list) and isinstance(given, list) and len(given) == len(present):
        both = zip(given, present, strict=True)
        pairs = [_merge_value(new, old, is_given=True) for new, old in both]
        return any(found for found, _ in pairs), [value for _, value in pairs]
    if not isinstance(present, dict) or (is_given and not isinstance(given, dict)):
        return False, given
    merged, any_found = dict(given or {}), False
    for name, item in present.items():
        found, value = _merge_value(merged.get(name), item, is_given=name in merged)
        if found:
            any_found, merged[name] = True, value
    return any_found, merged


def _find_lost(
    path: Path, own: Mapping[str, Any], wanted: Mapping[str, Any], base: ProjectFile
) -> list[Problem]:
    """Find keys of a file written by hand that would be lost."""
    lost = sorted(key for key in own if _full_key(key, base) not in wanted)
    if not lost:
        return []
    keys = ", ".join(f"`{key}`" for key in lost)
    message = f"was not written by `flowflare fleet config`, and {keys} would be lost"
    return [Problem(path.name, message, "Move them to tenants.yaml, or remove them.")]


def _find_stale(
    base: ProjectFile, stacks: frozenset[str], environment: str | None
) -> list[StackFile]:
    found = []
    for path in sorted(base.stack_folder.glob("Pulumi.*.yaml")):
        stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        if stack in stacks or (environment and not stack.endswith(f"-{environment}")):
            continue
        text = read_bytes(path).decode("utf-8", "replace")
        if text.startswith(MARK):
            found.append(StackFile(path, "", "stale", stack, YamlText(path.name, text)))
    return found


def _replace(file: StackFile, draft: Path) -> None:
    with draft.open("w", encoding="utf-8", newline="") as stream:
        stream.write(file.text)
        stream.flush()
        if file.kind == "changed":
            # The file contains values that cannot be recreated, such as the salt.
            os.fsync(stream.fileno())
    if file.kind == "changed":
        draft.chmod(file.path.stat().st_mode & 0o7777)
    draft.replace(file.path)
