"""Create and update ephemeral environments; remove them by name or when they expire.

The record is written before the first resource is created, and deleted after the last one is
deleted. A later run therefore finds everything that a killed run left behind. A run holds a lease
on the environment, beside the stack's own lease, so that only one run works on it at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from flowflare.api import PROCESS, Connector
from flowflare.config.edit import replace_file
from flowflare.config.files import Project, ProjectFile, read_project_file
from flowflare.config.yaml_nodes import YamlText
from flowflare.engine import access
from flowflare.engine.foreign_scripts import refuse_foreign_scripts
from flowflare.errors import FleetError, FlowflareError, LockedError, ProtectedError, StateError
from flowflare.fleet.engines import open_fleet_stack
from flowflare.fleet.environments.configuration import Ephemeral, is_ephemeral, make_ephemeral
from flowflare.fleet.environments.names import environment_of
from flowflare.fleet.environments.records import (
    EnvironmentRecord,
    EnvironmentRecords,
    StoredRecord,
    utc_now,
)
from flowflare.fleet.environments.seeding import SeedFile, SeedResult, refuse_unknown, run_seeds
from flowflare.fleet.tenants.passphrases import Passphrases
from flowflare.fleet.tenants.read import read_fleet
from flowflare.fleet.tenants.source import FILE
from flowflare.reading.files import read_bytes
from flowflare.state.lease import hold_lease
from flowflare.state.location import open_backend, open_project_store
from flowflare.values.events import OnEvent, Update

_PROTECT: Final = "flowflare:protect"


@dataclass(frozen=True)
class CommandContext:
    """The context of a command about environments.

    Attributes:
        ready: is called before an engine runs, to start what it needs.
        judge: is called before `up`, and raises if `up` must not run.
        api: opens the API's clients; None for the connector of this process.
    """

    root: Path
    environ: Mapping[str, str] = field(repr=False)
    ready: Callable[[Project], None] = lambda _: None
    judge: Callable[[Project], None] = lambda _: None
    on_event: OnEvent | None = None
    now: Callable[[], datetime] = utc_now
    api: Connector | None = None

    @cached_property
    def project(self) -> ProjectFile:
        """The project."""
        return read_project_file(self.root)

    def records(self) -> EnvironmentRecords:
        """Open the project's records."""
        return EnvironmentRecords(open_project_store(self.project, self.environ), self.project.name)

    def environ_of(self, base: str) -> Mapping[str, str]:
        """Return the environment variables of a stack that uses another stack's passphrase."""
        if not (self.root / FILE).is_file():
            return self.environ
        fleet = read_fleet(self.project, self.environ, check=False)
        return Passphrases(fleet, self.root, self.environ).environ_of(base)


@dataclass(frozen=True)
class UpResult:
    """The result of creating or updating an environment.

    Attributes:
        is_new: whether the environment did not exist before.
    """

    record: EnvironmentRecord
    update: Update
    seeded: tuple[SeedResult, ...]
    is_new: bool


def bring_up(
    name: str,
    where: CommandContext,
    *,
    ttl: timedelta,
    base: str | None = None,
    seeds: Sequence[SeedFile] = (),
) -> UpResult:
    """Create an environment, or update it and extend its time to live.

    Args:
        ttl: how long it lives from now on.
        base: the stack whose configuration it copies; None for its present base.
        seeds: SQL files that are run once in its databases.

    Raises:
        LockedError: another run works on it.
        FlowflareError: the configuration has problems, or `up` failed. After a failed `up` the
            record exists, and what was created is removed when it expires.
    """
    environment = environment_of(name)
    records = where.records()
    with _lease(name, where):
        found = records.get(name)
        default = "dev" if where.project.stack_file("dev").is_file() else "local"
        chosen = base or (found.record.base if found else default)
        _refuse_collision(name, chosen, environment, records.read_all())
        made = make_ephemeral(where.project, chosen, name, environment)
        refuse_unknown(seeds, made.spec)
        present = _read_own_file(name, where, found)
        now = where.now()
        record = EnvironmentRecord(
            name=name,
            project=where.project.name,
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
        if made.text != present:
            replace_file(where.project.stack_file(name), made.text)
        update, seeded = _up(made, where, chosen, seeds)
        if seeded:
            known = {(seed.file, seed.database): seed for seed in record.seeds}
            known |= {(result.seed.file, result.seed.database): result.seed for result in seeded}
            record = record.model_copy(update={"seeds": tuple(known.values())})
            records.write(record, found)
    return UpResult(record, update, seeded, is_new)


def _up(
    made: Ephemeral, where: CommandContext, base: str, seeds: Sequence[SeedFile]
) -> tuple[Update, tuple[SeedResult, ...]]:
    project = made.project
    environ = where.environ_of(base)
    stack = open_fleet_stack(project, environ, api=where.api)
    stack.make()
    where.judge(project)
    where.ready(project)
    refuse_foreign_scripts(project, stack, environ, where.api)
    update = stack.up(where.on_event)
    if not seeds:
        return update, ()

    connector = where.api or PROCESS
    client = connector.open(
        access.read_base_url(project, environ), access.find_token(project, environ)
    )
    return update, run_seeds(seeds, made.spec, client)


def take_down(name: str, where: CommandContext, *, only_expired: bool = False) -> bool:
    """Destroy an environment, and delete its state, file and record.

    Args:
        only_expired: whether to keep an environment whose time is not over, for example because
            another run has extended it.

    Returns:
        Whether an environment was removed.

    Raises:
        LockedError: another run works on it.
        ProtectedError: its file sets `flowflare:protect`.
        FlowflareError: a resource could not be deleted; run it again to resume.
    """
    records = where.records()
    with _lease(name, where):
        found = records.get(name)
        if found is None or (only_expired and not found.record.has_expired(where.now())):
            return False
        record = found.record
        file = where.project.stack_file(record.stack)
        if record.text != _read_own_file(record.stack, where, found):
            replace_file(file, record.text)
        project = where.project.parse_stack(record.stack, YamlText(file.name, record.text))
        environ = where.environ_of(record.base)
        stack = open_fleet_stack(project, environ, api=where.api)
        if stack.is_made() and not stack.is_empty():
            where.ready(project)
            stack.destroy(where.on_event)
        _delete_state(project, where)
        file.unlink(missing_ok=True)
        records.delete(found)
    return True


@contextmanager
def _lease(name: str, where: CommandContext) -> Iterator[None]:
    """Hold the lease of an environment during a run."""
    environment_of(name)
    project, own = where.project, f"{name}.environment"
    with ExitStack() as holding:
        try:
            store = open_project_store(project, where.environ)
            holding.enter_context(hold_lease(store, project.name, own))
        except LockedError as error:
            message = error.message.replace(f"stack {own}", f"environment {name}")
            remedy = "Wait for that run to end; the lease of a dead run expires within a minute."
            raise LockedError(message, remedy=remedy) from None
        yield


def _refuse_collision(
    name: str, base: str, environment: str, records: Sequence[EnvironmentRecord]
) -> None:
    """Refuse another base than before, and the names of another environment."""
    for record in records:
        if record.name == name and record.base != base:
            raise FleetError(
                f"environment {name} has the configuration of stack {record.base}, not of {base}",
                remedy=f"Remove it first: flowflare env down {name}",
            )
        if record.name != name and record.environment == environment:
            message = f"environment {name} would have the names of environment {record.name}"
            raise FleetError(message, remedy="Choose a name with other letters or digits.")


def _read_own_file(stack: str, where: CommandContext, found: StoredRecord | None) -> str | None:
    """Return the text of a stack's file; refuse a stack that is protected or not ephemeral."""
    file = where.project.stack_file(stack)
    text = read_bytes(file).decode("utf-8", "replace") if file.is_file() else None
    if text is not None and not is_ephemeral(text):
        raise FleetError(
            f"{file.name} was not written by `flowflare env up`: stack {stack} is not ephemeral",
            remedy="Choose another name, for example pr-123.",
        )
    if text is not None:
        written = where.project.parse_stack(stack, YamlText(file.name, text))
        value = written.values.get(_PROTECT)
        if value is not None and value.text != "false":
            raise ProtectedError(
                f"{file.name}:{value.line} protects environment {stack}; nothing was changed",
                remedy=f"If its data may be lost, remove the line: {_PROTECT}: {value.text}",
            )
    if found is None and not _is_empty(open_backend(where.project, stack, where.environ).load()):
        raise FleetError(
            f"stack {stack} has resources but no record of an ephemeral environment",
            remedy="Choose another name, for example pr-123.",
        )
    return text


def _is_empty(raw: Any) -> bool:
    """Return whether a checkpoint has no resources and no pending operations."""
    latest = ((raw or {}).get("checkpoint") or {}).get("latest") or {}
    return not (latest.get("resources") or latest.get("pending_operations"))


def _delete_state(project: Project, where: CommandContext) -> None:
    """Delete what `pulumi stack rm` deletes, if the backend can be read here."""
    backend = open_backend(project.shared, project.stack, where.environ)
    present = backend.read_current()
    if present.raw is None or not _is_empty(present.raw):
        return
    backend.delete(present)


def list_expired(
    where: CommandContext, broken: list[StateError] | None = None
) -> tuple[EnvironmentRecord, ...]:
    """List the expired environments, the earliest first.

    Args:
        broken: gains an error for each record that cannot be read.
    """
    now = where.now()
    records = where.records().read_all(broken)
    expired = [record for record in records if record.has_expired(now)]
    return tuple(sorted(expired, key=lambda record: (record.expires, record.name)))


@dataclass(frozen=True)
class SweepResult:
    """The result of removing an expired environment.

    Attributes:
        error: why it could not be removed; None if it was removed.
    """

    record: EnvironmentRecord
    error: FlowflareError | None = None


def sweep(
    where: CommandContext,
    on_begin: Callable[[EnvironmentRecord], None],
    broken: list[StateError] | None = None,
) -> Iterator[SweepResult]:
    """Remove every expired environment; continue after a failure.

    Args:
        on_begin: is called with each record before its environment is removed.
        broken: gains an error for each record that cannot be read.
    """
    for record in list_expired(where, broken):
        on_begin(record)
        try:
            is_removed = take_down(record.name, where, only_expired=True)
        except FlowflareError as error:
            yield SweepResult(record, error)
        except OSError as error:
            yield SweepResult(record, FleetError(f"{error.filename}: {error.strerror}"))
        else:
            if is_removed:
                yield SweepResult(record)
