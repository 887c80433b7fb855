"""Removes the files of stacks that the fleet has no more, once those stacks are nowhere else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from flowflare.config.files import read_project
from flowflare.errors import FlowflareError
from flowflare.fleet.engines import opened
from flowflare.fleet.tenants.files import StackFile


@dataclass(frozen=True)
class Pruned:
    """What became of a stale file.

    Attributes:
        file: the file.
        why_kept: why it was left where it is; empty for one that was removed.
        remedy: what to do then.
    """

    file: StackFile
    why_kept: str = ""
    remedy: str = ""


def prune(files: Iterable[StackFile], root: Path, environ: Mapping[str, str]) -> tuple[Pruned, ...]:
    """Removes the stale files among some whose stacks have no resources.

    Without its file a stack cannot be destroyed: its salt is in it, and where its account is.

    Args:
        files: what `stack_files` says.
        root: the folder of `Pulumi.yaml`.
        environ: the environment.
    """
    return tuple(_pruned(one, root, environ) for one in files if one.kind == "stale")


def _pruned(file: StackFile, root: Path, environ: Mapping[str, str]) -> Pruned:
    try:
        stack = opened(read_project(root, file.stack), environ)
        has_resources = stack.is_made() and not stack.is_empty()
    except FlowflareError as error:
        message = f"whether its stack has resources cannot be known: {error.message}"
        return Pruned(file, message, error.remedy or "")
    if has_resources:
        remedy = f"Destroy it first: flowflare destroy --stack {quote(file.stack)}"
        return Pruned(file, "its stack still has resources", remedy)
    file.path.unlink(missing_ok=True)
    return Pruned(file)
