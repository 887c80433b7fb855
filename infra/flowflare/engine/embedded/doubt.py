"""Mark resources whose record in state may no longer match the account.

The next run updates them even if their inputs are unchanged. Stacks of an engine that can refresh
its state are not changed.
"""

from collections.abc import Callable, Mapping

from flowflare.config.engine import engine_of
from flowflare.config.files import Project, private_folder
from flowflare.engine.embedded.ledger import Ledger
from flowflare.state.checkpoint import Resource
from flowflare.state.location import open_backend
from flowflare.state.lock import lock_stack
from flowflare.state.passphrase import Vault, find_passphrase


def doubt(
    project: Project,
    environ: Mapping[str, str],
    matches: Callable[[Resource], bool],
    reason: str,
) -> list[str]:
    """Mark the matching resources, and write the state.

    Args:
        matches: returns whether to mark a record.
        reason: why they are marked; the next preview shows it.

    Returns:
        The URNs of the marked records; an empty list if the stack has no state, or if its engine
        can refresh it.

    Raises:
        LockedError: another run holds the stack.
        StateError: the state cannot be read.
    """
    if engine_of(project).has_refresh:
        return []
    backend = open_backend(project.shared, project.stack, environ)
    raw = backend.load()
    if raw is None:
        return []
    with lock_stack(backend) as held:
        present = backend.read_current()
        raw = present.raw
        passphrase = find_passphrase(private_folder(project.root), environ, make=False)
        vault = Vault(passphrase, backend.read_salt(raw))
        deployment = backend.read(raw, vault)
        write = backend.make_writer(vault, after=present, guard=held.holding.check)
        ledger = Ledger(deployment, lambda: vault.salt, write)
        meant = [record for record in ledger.list_untouched() if matches(record)]
        for record in meant:
            ledger.spoil(record, reason)
        ledger.finish()
    return [record.urn for record in meant]
