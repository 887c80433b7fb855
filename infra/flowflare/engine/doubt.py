"""Marks resources of a stack whose state may no longer be what is there.

The next run updates them, whatever their inputs say. Stacks of an engine that can refresh its state
are left as they are.
"""

from collections.abc import Callable, Mapping

from flowflare.config.engine import engine_of
from flowflare.config.files import Project, private_folder
from flowflare.engine.ledger import Ledger
from flowflare.state.checkpoint import Resource
from flowflare.state.location import backend_of
from flowflare.state.lock import locked
from flowflare.state.passphrase import Vault, find_passphrase


def doubt(
    project: Project,
    environ: Mapping[str, str],
    matches: Callable[[Resource], bool],
    reason: str,
) -> list[str]:
    """Marks the resources that match, and writes the state.

    Args:
        project: the project seen through the stack.
        environ: the environment, for the passphrase.
        matches: whether a record is meant.
        reason: why; the next preview shows it.

    Returns:
        the URNs of the records marked; none where the stack has no state, or its engine can
        refresh it.

    Raises:
        LockedError: another run holds the stack.
        StateError: the state cannot be read.
    """
    if engine_of(project).has_refresh:
        return []
    backend = backend_of(project.root, project.name, project.stack, environ)
    raw = backend.load()
    if raw is None:
        return []
    with locked(backend) as held:
        present = backend.present()
        raw = present.raw
        passphrase = find_passphrase(private_folder(project.root), environ, make=False)
        vault = Vault(passphrase, backend.salt(raw))
        deployment = backend.read(raw, vault)
        write = backend.writer(vault, after=present, guard=held.holding.check)
        ledger = Ledger(deployment, lambda: vault.salt, write)
        meant = [one for one in ledger.kept() if matches(one)]
        for one in meant:
            ledger.spoil(one, reason)
        ledger.finish()
    return [one.urn for one in meant]
