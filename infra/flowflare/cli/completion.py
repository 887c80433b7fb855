"""Complete the names of stacks, clients, tenants and environments in a shell.

A name that cannot be found is not completed; errors are never printed into the shell's line.
"""

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from flowflare.config.files import ProjectFile

Complete = Callable[[typer.Context, str], list[str]]


def _completing(find: "Callable[[ProjectFile, dict[str, Any]], Iterable[str]]") -> Complete:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        from flowflare.cli.options import choose_project_root
        from flowflare.config.files import read_project_file

        *listed, last = incomplete.split(",")
        with contextlib.suppress(Exception):
            given = ctx.params.get("cwd")
            root = choose_project_root(Path(given) if given else None)
            names = sorted(set(find(read_project_file(root, check=False), ctx.params)))
            return [",".join([*listed, name]) for name in names if name.startswith(last)]
        return []

    return complete


def _list_stacks(project: "ProjectFile", params: dict[str, Any]) -> Iterable[str]:
    del params
    return project.list_stacks()


def _list_clients(project: "ProjectFile", params: dict[str, Any]) -> Iterable[str]:
    from flowflare.config.placing import CLIENTS, read_value
    from flowflare.config.problems import mapping

    stack = params.get("stack") or "local"
    return mapping(read_value(project.read_stack(stack), (CLIENTS,)))


def _read_tenants(project: "ProjectFile") -> dict[str, Any]:
    """Read the files that list the tenants, without running a command that lists them."""
    import os

    from flowflare.config.problems import mapping
    from flowflare.fleet.tenants.source import read_source

    source = read_source(project.root, os.environ, [], run=False)
    return mapping(source.written) if source else {}


def _list_tenants(project: "ProjectFile", params: dict[str, Any]) -> Iterable[str]:
    del params
    from flowflare.config.problems import mapping

    return mapping(_read_tenants(project).get("tenants"))


def _list_environments(project: "ProjectFile", params: dict[str, Any]) -> Iterable[str]:
    del params
    from flowflare.config.problems import mapping

    return mapping(_read_tenants(project).get("environments"))


complete_stacks = _completing(_list_stacks)
complete_clients = _completing(_list_clients)
complete_tenants = _completing(_list_tenants)
complete_environments = _completing(_list_environments)
