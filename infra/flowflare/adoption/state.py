"""A stack that things are taken into: reads its state, runs its program over it, writes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from flowflare.adoption.adopter import Adopter
from flowflare.adoption.owners import states_beside
from flowflare.config.files import Project
from flowflare.engine.given_secrets import learn_given_secrets
from flowflare.engine.ledger import Ledger
from flowflare.engine.monitor import Engine, ResourceMonitor
from flowflare.engine.program import Program, importable, run
from flowflare.engine.providers.registry import Providers
from flowflare.engine.pulumi.recorded import RecordedStack
from flowflare.engine.pulumi.stack import CliStack
from flowflare.engine.pulumi.state import find_cli_store
from flowflare.engine.report import Report
from flowflare.engine.stack import EmbeddedStack, _Opened
from flowflare.errors import StateError
from flowflare.state.checkpoint import Deployment, Resource, dump_resource, secret_text
from flowflare.state.lock import locked
from flowflare.values.events import Plan
from flowflare.values.properties import Secret
from flowflare.values.wire import SECRET, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterator

MakeAdopter = Callable[[Ledger, Providers, Report], Adopter]


@dataclass(frozen=True)
class Ran:
    """What a run of the program over an account came to.

    Attributes:
        records: all records, those of what is missing too.
        adopter: what answered.
        failures: resources that could not be looked at, sentences.
    """

    records: tuple[Resource, ...]
    adopter: Adopter
    failures: tuple[str, ...]


class Target(Protocol):
    """The stack that things are taken into, whichever engine's it is."""

    @property
    def deployment(self) -> Deployment:
        """Its state as it was read."""

    def run(self, make: MakeAdopter) -> Ran:
        """Runs the program once, over the account; writes nothing."""

    def plan_after(self, deployment: Deployment) -> Plan:
        """What the next `up` would do with that state."""

    def beside(self) -> "Iterator[tuple[str, Any]]":
        """Other stacks' checkpoints, as far as they lie within reach."""

    def write(self, deployment: Deployment, before: Callable[[], None]) -> None:
        """Writes the state, if nobody else has written it since.

        Args:
            deployment: the state.
            before: what is written first, with the stack already held.
        """


class _Looking(EmbeddedStack):
    """A stack whose program can be run over an account."""

    def run(self, make: MakeAdopter) -> Ran:
        """Runs the program once, over the account; writes nothing."""
        opened = self._open()
        report = Report(None, self._clock)
        ledger = Ledger(opened.deployment, lambda: "", None)
        adopter = make(ledger, self._providers(opened.config), report)
        project = self.project
        learn_given_secrets(project, self._environ)
        monitor = ResourceMonitor(project.name, project.stack, adopter, dry_run=True)
        program = Program(
            project.root,
            project.main,
            project.name,
            project.stack,
            opened.config.texts,
            opened.config.secret,
        )
        with importable(project.main if project.main.is_dir() else project.main.parent):
            run(program, monitor, Engine(report), dry_run=True)
        failures = tuple(f"{one.name}: {one.reason}" for one in report.failures)
        return Ran(ledger.all(), adopter, failures)


class EmbeddedTarget(_Looking):
    """A stack of the embedded engine."""

    _opened: _Opened | None = None

    @property
    def deployment(self) -> Deployment:
        """Its state as it was read."""
        return self._open().deployment

    def plan_after(self, deployment: Deployment) -> Plan:
        """What the next `up` would do with that state."""
        before = self._open()
        self._opened = replace(before, deployment=deployment)
        try:
            return self.preview()
        finally:
            self._opened = before

    def beside(self) -> "Iterator[tuple[str, Any]]":
        """Other stacks' checkpoints in the same backend."""
        return states_beside(self._backend.store, self._backend.key)

    def write(self, deployment: Deployment, before: Callable[[], None]) -> None:
        """Writes the state, if nobody else has written it since.

        Raises:
            LockedError: another run holds the stack.
            StateError: another run has written the state.
        """
        opened = self._open()
        assert opened.present is not None
        with locked(self._backend) as held:
            if self._backend.present().tag != opened.present.tag:
                raise _changed(self.project)
            before()
            guard = held.holding.check
            put = opened.backend.writer(opened.vault, after=opened.present, guard=guard)
            put(replace(deployment, salt=opened.vault.salt))

    def _open(self, *, check: bool = False) -> _Opened:
        del check
        if self._opened is None:
            self._opened = super()._open(check=True)
        return self._opened


class CliTarget(_Looking, RecordedStack):
    """A stack of the Pulumi CLI, which imports what comes into its state.

    Args:
        project: the project seen through the stack.
        environ: the environment.
    """

    def __init__(self, project: Project, *, environ: Mapping[str, str]) -> None:
        self._cli = CliStack(project, environ=environ)
        self._exported = self._cli.export()
        super().__init__(project, self._cli.read(), environ=environ)

    @property
    def deployment(self) -> Deployment:
        """Its state as it was read."""
        return self._deployment

    def plan_after(self, deployment: Deployment) -> Plan:
        """What the next `up` would do with that state, by the program and the state alone."""
        return RecordedStack(self.project, deployment, environ=self._environ).preview()

    def beside(self) -> "Iterator[tuple[str, Any]]":
        """Other stacks' checkpoints in a folder or a bucket; of any other backend none."""
        store = find_cli_store(self.project.root, self._environ)
        if store is None:
            return iter(())
        return states_beside(store, f".pulumi/stacks/{self.project.name}/{self.project.stack}.json")

    def write(self, deployment: Deployment, before: Callable[[], None]) -> None:
        """Lets the CLI import the state, if nobody else has written it since.

        Raises:
            StateError: another run has written the state.
        """
        now = self._cli.export()
        if _resources(now) != _resources(self._exported):
            raise _changed(self.project)
        before()
        self._cli.import_(merged(now, deployment))


def merged(exported: Mapping[str, Any], deployment: Deployment) -> dict[str, Any]:
    """An exported deployment with the records that it lacks, their secrets open.

    The CLI seals them when it imports the file; what was in the export stays as it was, sealed.

    Args:
        exported: what `pulumi stack export` prints.
        deployment: the whole new state.
    """
    kept = _resources(exported)
    known = {str(one.get("urn")) for one in kept}
    new = [
        _plaintext(dump_resource(one, _Open()))
        for one in deployment.resources
        if one.urn not in known
    ]
    before = dict(exported.get("deployment") or {})
    return {**exported, "version": 3, "deployment": {**before, "resources": [*kept, *new]}}


class _Open:
    """Leaves secrets open: the CLI seals what it imports."""

    def seal(self, secret: Secret) -> str:
        """The JSON text of the value, which the CLI encrypts."""
        return secret_text(secret)

    def open(self, ciphertext: str) -> Any:
        """Nothing is sealed."""
        return ciphertext


def _plaintext(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return {SIGNATURE: SECRET, "plaintext": value["ciphertext"]}
        return {key: _plaintext(item) for key, item in value.items()}
    return [_plaintext(item) for item in value] if isinstance(value, list) else value


def _resources(exported: Mapping[str, Any]) -> list[Any]:
    return list((exported.get("deployment") or {}).get("resources") or ())


def _changed(project: Project) -> StateError:
    return StateError(
        f"the state of stack {project.stack} was written by another run meanwhile",
        remedy="Nothing was changed. Run it again.",
    )
