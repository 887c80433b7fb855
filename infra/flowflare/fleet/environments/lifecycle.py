"""Brings ephemeral environments up, and takes them away: by name, or when their time is over.

The record is written before anything is made and removed after everything is gone, so a run that
is killed leaves nothing that a later one does not find. One run at a time works on an environment:
it holds a lease beside the stack's own.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowflare.config.files import Project, read_base, read_project
from flowflare.errors import FleetError, FlowflareError, LockedError, ProtectedError, StateError
from flowflare.fleet.engines import opened
from flowflare.fleet.environments.configuration import ephemeral, is_ephemeral
from flowflare.fleet.environments.names import environment_of
from flowflare.fleet.environments.records import (
    EnvironmentRecord,
    EnvironmentRecords,
    Found,
    utc_now,
)
from flowflare.fleet.environments.seeding import Seeded, SeedFile, refuse_unknown, run_seeds
from flowflare.reading.files import read_bytes
from flowflare.state.lease import held
from flowflare.state.location import backend_of, store_of

if TYPE_CHECKING:
    from flowflare.api import Connector
    from flowflare.model.stack import StackSpec
    from flowflare.values.events import OnEvent, Update

_PROTECT: Final = "flowflare:protect"


def _nothing(_: Project) -> None:
    """Nobody asked to be told."""


@dataclass(frozen=True)
class Surroundings:
    """Where a command works.

    Attributes:
        root: the project's folder.
        environ: the environment of this process.
        ready: is called before an engine runs, to start what it needs.
        judge: is called before `up`, and raises where it must not run.
        on_event: takes the engine's events.
        now: the time.
        api: opens the API's clients; None for those of this process.
    """

    root: Path
    environ: Mapping[str, str] = field(repr=False)
    ready: Callable[[Project], None] = _nothing
    judge: Callable[[Project], None] = _nothing
    on_event: "OnEvent | None" = None
    now: Callable[[], datetime] = utc_now
    api: "Connector | None" = None

    def records(self) -> EnvironmentRecords:
        """The project's records."""
        store = store_of(self.root, self.environ)
        return EnvironmentRecords(store, read_base(self.root).name)

    def environ_of(self, base: str) -> Mapping[str, str]:
        """The environment of a stack that has its configuration, and passphrase, of another."""
        from flowflare.fleet.tenants.passphrases import Passphrases
        from flowflare.fleet.tenants.read import read_fleet
        from flowflare.fleet.tenants.source import FILE

        if not (self.root / FILE).is_file():
            return self.environ
        fleet = read_fleet(self.root, self.environ, check=False)
        return Passphrases(fleet, self.root, self.environ).environ_of(base)


@dataclass(frozen=True)
class Opened:
    """An environment that is up.

    Attributes:
        record: what is known of it.
        update: what `up` did.
        seeded: what became of the seeds.
        is_new: whether there was none before.
    """

    record: EnvironmentRecord
    update: "Update"
    seeded: tuple[Seeded, ...]
    is_new: bool


def bring_up(
    name: str,
    where: Surroundings,
    *,
    ttl: timedelta,
    base: str | None = None,
    seeds: Sequence[SeedFile] = (),
) -> Opened:
    """Makes an environment, or brings it up to date and gives it new time to live.

    Args:
        name: its name.
        where: where it is done.
        ttl: how long it lives from now on.
        base: the stack whose configuration it has; None for the one it has already.
        seeds: files with SQL that its databases get once.

    Raises:
        LockedError: another run works on it.
        FlowflareError: the configuration is not in order, or `up` failed. The record is there
            then, and what was made is removed when the time is over.
    """
    environment = environment_of(name)
    records = where.records()
    with _alone(name, where):
        found = records.get(name)
        chosen = base or (found.record.base if found else _default_base(where.root))
        _refuse_meeting(name, chosen, environment, records.all())
        made = ephemeral(where.root, chosen, name, environment)
        refuse_unknown(seeds, made.spec)
        file = _file(where.root, name)
        _refuse_foreign(file, name, where, found)
        now = where.now()
        record = EnvironmentRecord(
            name=name,
            project=read_base(where.root).name,
            stack=name,
            environment=environment,
            base=chosen,
            created=found.record.created if found else now,
            expires=now + ttl,
            text=made.text,
            seeds=found.record.seeds if found else (),
        )
        is_new = found is None
        found = records.write(record, found)
        _write(file, made.text)
        update, seeded = _up(made.spec, where, chosen, seeds)
        if seeded:
            known = {(one.file, one.database): one for one in record.seeds}
            known |= {(one.seed.file, one.seed.database): one.seed for one in seeded}
            record = record.model_copy(update={"seeds": tuple(known.values())})
            records.write(record, found)
    return Opened(record, update, seeded, is_new)


def _up(
    spec: "StackSpec", where: Surroundings, base: str, seeds: Sequence[SeedFile]
) -> tuple["Update", tuple[Seeded, ...]]:
    project = read_project(where.root, spec.stack)
    environ = where.environ_of(base)
    stack = opened(project, environ, api=where.api)
    stack.make()
    where.judge(project)
    where.ready(project)
    update = stack.up(where.on_event)
    if not seeds:
        return update, ()
    from flowflare.api import PROCESS
    from flowflare.engine import access

    connector = where.api or PROCESS
    client = connector.open(access.base_url(project, environ), access.token(project, environ))
    return update, run_seeds(seeds, spec, client)


def take_down(name: str, where: Surroundings, *, only_expired: bool = False) -> bool:
    """Destroys an environment and forgets it.

    Args:
        name: its name.
        where: where it is done.
        only_expired: whether it stays where its time is not over, or no longer is.

    Returns:
        Whether there was one that had to go.

    Raises:
        LockedError: another run works on it.
        ProtectedError: somebody protected it.
        FlowflareError: something could not be deleted; running it again goes on.
    """
    records = where.records()
    with _alone(name, where):
        found = records.get(name)
        if found is None or (only_expired and not found.record.has_expired(where.now())):
            return False
        record = found.record
        file = _file(where.root, record.stack)
        _refuse_foreign(file, record.stack, where, found)
        _write(file, record.text)
        project = read_project(where.root, record.stack)
        environ = where.environ_of(record.base)
        stack = opened(project, environ, api=where.api)
        if stack.is_made() and not stack.is_empty():
            where.ready(project)
            stack.destroy(where.on_event)
        _forget_state(project, where)
        file.unlink(missing_ok=True)
        records.delete(found)
    return True


@contextmanager
def _alone(name: str, where: Surroundings) -> Iterator[None]:
    """Holds an environment for the time of a run."""
    environment_of(name)
    project, own = read_base(where.root).name, f"{name}.environment"
    with ExitStack() as holding:
        try:
            holding.enter_context(held(store_of(where.root, where.environ), project, own))
        except LockedError as error:
            message = error.message.replace(f"stack {own}", f"environment {name}")
            remedy = "Wait for it to end; what a dead run holds is free again within a minute."
            raise LockedError(message, remedy=remedy) from None
        yield


def _file(root: Path, stack: str) -> Path:
    return read_base(root).stack_folder / f"Pulumi.{stack}.yaml"


def _default_base(root: Path) -> str:
    return "dev" if _file(root, "dev").is_file() else "local"


def _refuse_meeting(
    name: str, base: str, environment: str, records: Sequence[EnvironmentRecord]
) -> None:
    """Stops before one environment takes the names of another, or another tenant's."""
    for one in records:
        if one.name == name and one.base != base:
            raise FleetError(
                f"environment {name} has the configuration of stack {one.base}, not of {base}",
                remedy=f"Remove it first: flowflare env down {name}",
            )
        if one.name != name and one.environment == environment:
            message = f"environment {name} would have the names of environment {one.name}"
            raise FleetError(message, remedy="Choose a name with other letters or digits.")


def _refuse_foreign(file: Path, stack: str, where: Surroundings, found: Found | None) -> None:
    """Stops before a stack is touched that somebody made in another way, or protected."""
    text = read_bytes(file).decode("utf-8", "replace") if file.is_file() else None
    if text is not None and not is_ephemeral(text):
        raise FleetError(
            f"{file.name} was not written by `flowflare env up`: stack {stack} is no ephemeral one",
            remedy="Choose another name, for example pr-123.",
        )
    if text is not None:
        value = read_project(where.root, stack).values.get(_PROTECT)
        if value is not None and value.text != "false":
            raise ProtectedError(
                f"{file.name}:{value.line} protects environment {stack}, and it stays as it is",
                remedy=f"If its data may be lost, take the line out: {_PROTECT}: {value.text}",
            )
    if found is None and _has_resources(stack, where):
        raise FleetError(
            f"stack {stack} has resources and no record of an ephemeral environment",
            remedy="Choose another name, for example pr-123.",
        )


def _has_resources(stack: str, where: Surroundings) -> bool:
    project = read_base(where.root).name
    return not _is_empty(backend_of(where.root, project, stack, where.environ).load())


def _is_empty(raw: Any) -> bool:
    """Whether a checkpoint has nothing in it that stands for something in an account."""
    latest = ((raw or {}).get("checkpoint") or {}).get("latest") or {}
    return not (latest.get("resources") or latest.get("pending_operations"))


def _forget_state(project: Project, where: Surroundings) -> None:
    """Removes what `pulumi stack rm` removes; a backend that is not read here keeps it."""
    backend = backend_of(project.root, project.name, project.stack, where.environ)
    present = backend.present()
    if present.raw is None or not _is_empty(present.raw):
        return
    store = backend.store
    store.delete(present.key, only_if=present.tag)
    history = f".pulumi/history/{project.name}/{project.stack}/"
    for key in [*store.keys(backend.key), *store.keys(history)]:
        store.delete(key)


def _write(file: Path, text: str) -> None:
    """Puts the stack's file in place in one step."""
    if file.is_file() and read_bytes(file).decode("utf-8", "replace") == text:
        return
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(draft).chmod(0o644)
        Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def expired(
    where: Surroundings, broken: list[StateError] | None = None
) -> tuple[EnvironmentRecord, ...]:
    """The environments whose time is over, the one that ended first at the head.

    Args:
        where: where they are looked for.
        broken: gains an error for each record that cannot be read.
    """
    now = where.now()
    over = [one for one in where.records().all(broken) if one.has_expired(now)]
    return tuple(sorted(over, key=lambda one: (one.expires, one.name)))


@dataclass(frozen=True)
class Swept:
    """What became of an environment whose time is over.

    Attributes:
        record: what was known of it.
        error: why it is still there; None where it is gone.
    """

    record: EnvironmentRecord
    error: FlowflareError | None = None


def sweep(
    where: Surroundings,
    began: Callable[[EnvironmentRecord], None],
    broken: list[StateError] | None = None,
) -> Iterator[Swept]:
    """Takes away every environment whose time is over; one that fails stops no other.

    Args:
        where: where it is done.
        began: is told each one before it goes.
        broken: gains an error for each record that cannot be read.
    """
    for record in expired(where, broken):
        began(record)
        try:
            gone = take_down(record.name, where, only_expired=True)
        except FlowflareError as error:
            yield Swept(record, error)
        except OSError as error:
            yield Swept(record, FleetError(f"{error.filename}: {error.strerror}"))
        else:
            if gone:
                yield Swept(record)
