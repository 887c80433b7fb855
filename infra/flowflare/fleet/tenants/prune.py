"""Delete the files of stacks that the fleet no longer has, if those stacks have no resources."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from shlex import quote

from flowflare.config.files import ProjectFile
from flowflare.errors import FlowflareError
from flowflare.fleet.engines import open_fleet_stack
from flowflare.fleet.tenants.files import StackFile


@dataclass(frozen=True)
class PruneResult:
    """The result for a stale file.

    Attributes:
        why_kept: why the file was kept; empty if it was deleted.
        remedy: what to do if it was kept.
    """

    file: StackFile
    why_kept: str = ""
    remedy: str = ""


def prune(
    files: Iterable[StackFile], project: ProjectFile, environ: Mapping[str, str]
) -> tuple[PruneResult, ...]:
    """Delete the stale files whose stacks have no resources.

    A stack cannot be destroyed without its file, which contains its salt and its account.

    Args:
        files: the files, from `stack_files`.
    """
    return tuple(_prune_file(file, project, environ) for file in files if file.kind == "stale")


def _prune_file(file: StackFile, project: ProjectFile, environ: Mapping[str, str]) -> PruneResult:
    assert file.present is not None  # a stale file exists
    try:
        stack = open_fleet_stack(project.parse_stack(file.stack, file.present), environ)
        has_resources = stack.is_made() and not stack.is_empty()
    except FlowflareError as error:
        message = f"cannot find out whether its stack has resources: {error.message}"
        return PruneResult(file, message, error.remedy or "")
    if has_resources:
        remedy = f"Destroy it first: flowflare destroy --stack {quote(file.stack)}"
        return PruneResult(file, "its stack still has resources", remedy)
    file.path.unlink(missing_ok=True)
    return PruneResult(file)
