"""Hold a stack of the Pulumi CLI with our lease, if its state is stored in a folder or a bucket.

The CLI's own lock protects only its own run. The lease also covers our work around it: settle what
a killed run had begun, run the CLI, take over what it created without receiving the answer. Pulumi
Cloud and other backends have locks of their own, and no lease.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping

from flowflare.config.files import Project
from flowflare.engine.pulumi_cli.state import find_cli_store
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.store import Store
from flowflare.state.lease import Holding, Lease, end_lease, hold_lease


@contextlib.contextmanager
def hold(
    project: Project, environ: Mapping[str, str], on_wait: Callable[[str], None] | None = None
) -> Iterator[Holding | None]:
    """Hold a stack during a run; yields None if its backend has no leases.

    Args:
        on_wait: takes a sentence if another run's lease has to be watched first.

    Raises:
        LockedError: another run holds the stack.
        StateError: the backend cannot be reached.
    """
    store = _store(project, environ)
    if store is None:
        yield None
        return
    with hold_lease(store, project.name, project.stack, on_wait=on_wait) as holding:
        yield holding


def let_go(project: Project, environ: Mapping[str, str]) -> Lease | None:
    """End the lease of a dead run; return the lease, or None if there was none.

    Raises:
        LockedError: its run is alive on this machine.
    """
    store = _store(project, environ)
    return None if store is None else end_lease(store, project.name, project.stack)


def _store(project: Project, environ: Mapping[str, str]) -> Store | None:
    store = find_cli_store(project.shared, environ)
    if isinstance(store, FolderStore) and not store.folder.is_dir():
        return None  # the CLI makes the folder, or reports that it is missing
    return store
