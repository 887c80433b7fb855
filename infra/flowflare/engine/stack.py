"""A stack on the embedded engine: preview, up, destroy, outputs, unlock."""

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from flowflare.config.files import Project, read_project
from flowflare.engine.configuration import Configuration, open_configuration
from flowflare.engine.ledger import Ledger
from flowflare.engine.report import Report, failed
from flowflare.errors import FlowflareError
from flowflare.redaction.run import redact_values, redacts
from flowflare.state.backend import Backend, Checkpoint
from flowflare.state.checkpoint import Deployment
from flowflare.state.history import history
from flowflare.state.lease import Lease
from flowflare.state.lock import Held, Lock, locked, unlock
from flowflare.state.passphrase import Vault, find_passphrase
from flowflare.state.watch import Clock
from flowflare.values.events import OnEvent, Plan, Update, warn
from flowflare.values.show import shown_props

if TYPE_CHECKING:
    from flowflare.api import Connector
    from flowflare.engine.providers.registry import Providers

FOLDER: Final = ".flowflare"


@dataclass(frozen=True)
class _Opened:
    """A stack's state and secrets, read for one run."""

    backend: Backend
    deployment: Deployment
    vault: Vault
    config: Configuration
    present: Checkpoint | None = None


class EmbeddedStack:
    """One stack of a project; every method is a run of its own.

    Args:
        project: the project seen through the stack.
        environ: the environment.
        clock: seconds, for how long things take.
        api: opens the API's clients, by default with what this process shares.
        lease_clock: the time of the lease that a run holds.
    """

    def __init__(
        self,
        project: Project,
        *,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        api: "Connector | None" = None,
        lease_clock: Clock | None = None,
    ) -> None:
        self.project = project
        self._environ = environ
        self._clock = clock
        self._api = api
        self._lease_clock = lease_clock
        self._runner: Callable[..., None] | None = None  # by default `flowflare.engine.program.run`

    @redacts
    def preview(self, on_event: OnEvent | None = None) -> Plan:
        """Runs the program and says what `up` would do; no API call, nothing is written.

        Args:
            on_event: is told each step as it is planned.

        Returns:
            The plan. What `up` would refuse, such as a protected resource, is in its `failures`.

        Raises:
            FlowflareError: the program, the configuration or the state is not in order.
        """
        opened = self._open()
        report = Report(on_event, self._clock)
        report.name_cli_keys(self.project.cli_keys)
        ledger = Ledger(opened.deployment, lambda: "", None)
        providers = self._providers(opened.config)
        with _importable(self.project):
            self._run(ledger, providers, report, opened.config, dry_run=True)
            from flowflare.engine.destroy import Deleter

            Deleter(ledger, providers, report).plan(ledger.kept())
        return Plan(tuple(report.steps), _outputs(ledger), tuple(report.failures))

    @redacts
    def up(self, on_event: OnEvent | None = None) -> Update:
        """Brings the stack to what the program says.

        Args:
            on_event: is told what happens while it happens.

        Raises:
            LockedError: another run holds the stack.
            ProtectedError: all that stood in the way was protect.
            UpdateFailed: some resources failed; the others, and what was made, are in state.
            FlowflareError: the program failed, or passphrase, state or API are not in order;
                nothing has been deleted.
        """
        since = self._clock()
        report = Report(on_event, self._clock)
        report.name_cli_keys(self.project.cli_keys)
        with self._held("update", report) as held, report.of_waits(self._api):
            opened = self._open(check=True)
            self._refuse_remote(opened.config)
            ledger = self._ledger(opened, held)
            providers = self._providers(opened.config)
            try:
                with _importable(self.project):
                    self._apply(ledger, providers, report, opened)
            finally:
                ledger.finish()
        if report.failures:
            raise failed(report.failures)
        return Update(tuple(report.steps), _outputs(ledger), self._clock() - since)

    @redacts
    def plan_destroy(self, *, lose_data: Collection[str] = ()) -> Plan:
        """Says what `destroy` would do; no API call, nothing is written.

        Args:
            lose_data: names of protected resources that would be deleted all the same.

        Raises:
            FlowflareError: the configuration or the state is not in order.
        """
        from flowflare.engine.destroy import Deleter

        opened = self._open()
        report = Report(None, self._clock)
        ledger = Ledger(opened.deployment, lambda: "", None)
        deleter = Deleter(ledger, self._providers(opened.config), report, lifted=lose_data)
        deleter.plan(ledger.kept(), what="destroyed")
        return Plan(tuple(report.steps), {}, tuple(report.failures))

    @redacts
    def destroy(
        self, on_event: OnEvent | None = None, *, lose_data: Collection[str] = ()
    ) -> Update:
        """Deletes everything that the stack has, dependents first. The program does not run.

        Args:
            on_event: is told what happens while it happens.
            lose_data: names of protected resources that are deleted all the same.

        Raises:
            LockedError: another run holds the stack.
            ProtectedError: something else is protected; nothing was deleted.
            UpdateFailed: some resources could not be deleted.
        """
        since = self._clock()
        report = Report(on_event, self._clock)
        with self._held("destroy", report) as held, report.of_waits(self._api):
            opened = self._open(check=True)
            self._refuse_remote(opened.config)
            ledger = self._ledger(opened, held)
            from flowflare.engine.destroy import Deleter, refuse_protected

            refuse_protected(ledger.kept(), lose_data, stack=self.project.stack)
            providers = self._providers(opened.config)
            deleter = Deleter(ledger, providers, report, lifted=lose_data)
            try:
                with _importable(self.project):
                    deleter.clear_interrupted()
                    deleter.delete(ledger.kept())
            finally:
                ledger.finish()
        if report.failures:
            raise failed(report.failures)
        return Update(tuple(report.steps), {}, self._clock() - since)

    @redacts
    def outputs(
        self, *, show_secrets: bool = False, on_event: OnEvent | None = None
    ) -> dict[str, Any]:
        """The stack's outputs as JSON values, by name.

        Args:
            show_secrets: whether secrets are shown; otherwise they read `[secret]`, also inside an
                output that the program does not mark as secret.
            on_event: is told if secrets cannot be read.

        Raises:
            StateError: the state cannot be read.
            SecretError: a secret cannot be opened.
        """
        state = self.read()
        values = shown_props(state.stack.outputs, show_secrets=show_secrets) if state.stack else {}
        if show_secrets or not values:
            return values
        from flowflare.engine.known_secrets import learn_stack_secrets

        learn_stack_secrets(self.project, self._environ, state, on_event)
        shown: dict[str, Any] = redact_values(values)
        return shown

    def is_empty(self) -> bool:
        """Whether the stack has no resources, so that there is nothing to destroy.

        Raises:
            StateError: the state cannot be read.
        """
        deployment = self.read()
        return not deployment.resources and not deployment.pending

    def unlock(self) -> list[Lock | Lease]:
        """Removes the locks that dead runs left on the stack, and ends the lease of one.

        Returns:
            The locks and the lease, each with its holder.

        Raises:
            LockedError: a run is under way on this machine.
        """
        return unlock(self._backend)

    # ----------------------------------------------------------------------------------------------

    def _folder(self) -> Path:
        folder = self.project.root / FOLDER
        ignore = folder / ".gitignore"
        if not ignore.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            ignore.write_text("*\n", "utf-8")
        return folder

    @cached_property
    def _backend(self) -> Backend:
        from flowflare.state.location import backend_of

        project = self.project
        return backend_of(project.root, project.name, project.stack, self._environ)

    def read(self) -> Deployment:
        """The state alone; its secrets are opened when they are looked at."""
        backend = self._backend
        raw = backend.load()
        passphrase = find_passphrase(self._folder(), self._environ, make=False)
        return backend.read(raw, Vault(passphrase, backend.salt(raw)))

    def _open(self, *, check: bool = False) -> _Opened:
        backend = self._backend
        present = backend.present()
        raw, salt = present.raw, backend.salt(present.raw)
        wanted = self.project.encryption_salt or salt
        passphrase = find_passphrase(self._folder(), self._environ, make=not wanted)
        own = self.project.salt_place if self.project.encryption_salt else ""
        vault = Vault(passphrase, wanted, own)
        reader = vault if salt in ("", wanted) else Vault(passphrase, salt)
        if check and wanted:
            vault.check()
        if check and reader is not vault:
            reader.check()
        deployment = backend.read(raw, reader)
        config = open_configuration(self.project, vault)
        return _Opened(backend, deployment, vault, config, present)

    @contextlib.contextmanager
    def _held(self, kind: Literal["update", "destroy"], report: Report) -> Iterator[Held]:
        """Holds the stack for a run, of which the backend's history will tell."""
        backend, note = self._backend, partial(warn, report.note)
        with (
            locked(backend, clock=self._lease_clock, on_wait=note) as held,
            history(backend, kind, self.project, report, held.holding.check),
        ):
            for one in held.taken:
                note(f"took over the stack from a run that is dead: {one}")
            yield held

    def _ledger(self, opened: _Opened, held: Held) -> Ledger:
        vault = opened.vault
        guard = held.holding.check
        write = opened.backend.writer(vault, after=opened.present, guard=guard)
        return Ledger(opened.deployment, lambda: vault.salt, write)

    def _providers(self, config: Configuration) -> "Providers":
        from flowflare.api import PROCESS
        from flowflare.engine.access import stack_environment
        from flowflare.engine.providers.registry import Providers
        from flowflare.engine.stack_reference import StackReferences

        project = self.project
        return Providers(
            project.name,
            project.stack,
            config.values,
            stack_environment(project, self._environ),
            api=self._api or PROCESS,
            references=StackReferences(self._backend, project.root, self._environ),
        )

    def _refuse_remote(self, config: Configuration) -> None:
        from flowflare.kinds.access import require_loopback

        base_url = config.texts.get("cloudflare:baseUrl") or self._environ.get(
            "CLOUDFLARE_BASE_URL"
        )
        if base_url:
            require_loopback(base_url)

    def _apply(
        self, ledger: Ledger, providers: "Providers", report: Report, opened: _Opened
    ) -> None:
        try:
            self._run(ledger, providers, report, opened.config, dry_run=False)
        except FlowflareError as error:
            _merge_outputs(ledger, opened.deployment)
            if report.failures:
                raise failed(report.failures, program=error) from error
            raise
        if not report.failures:
            from flowflare.engine.destroy import Deleter

            deleter = Deleter(ledger, providers, report)
            deleter.clear_interrupted()
            deleter.delete(ledger.kept(), replaced=_replaced(report))

    def _run(
        self,
        ledger: Ledger,
        providers: "Providers",
        report: Report,
        config: Configuration,
        *,
        dry_run: bool,
    ) -> None:
        from flowflare.engine.apply import Deployer
        from flowflare.engine.given_secrets import learn_given_secrets
        from flowflare.engine.monitor import Engine, ResourceMonitor
        from flowflare.engine.program import Program, run

        project = self.project
        learn_given_secrets(project, self._environ)
        deployer = Deployer(ledger, providers, report, dry_run=dry_run)
        monitor = ResourceMonitor(project.name, project.stack, deployer, dry_run=dry_run)
        program = Program(
            project.root, project.main, project.name, project.stack, config.texts, config.secret
        )
        (self._runner or run)(program, monitor, Engine(report), dry_run=dry_run)


def open_stack(
    root: Path,
    stack: str,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    api: "Connector | None" = None,
) -> EmbeddedStack:
    """Opens a stack of the project in a folder.

    Args:
        root: the folder of `Pulumi.yaml`.
        stack: the stack's name.
        environ: the environment, by default this process's.
        clock: seconds, for how long things take.
        api: opens the API's clients, by default with what this process shares.

    Raises:
        ConfigError: the project's files are not in order.
    """
    project = read_project(root, stack)
    used = os.environ if environ is None else environ
    return EmbeddedStack(project, environ=used, clock=clock, api=api)


def _importable(project: Project) -> Any:
    from flowflare.engine.program import importable

    return importable(project.main if project.main.is_dir() else project.main.parent)


def _outputs(ledger: Ledger) -> dict[str, Any]:
    stack = Deployment(ledger.all()).stack
    return redact_values(shown_props(stack.outputs)) if stack else {}


def _merge_outputs(ledger: Ledger, before: Deployment) -> None:
    """After a failed program the stack keeps the outputs that it did not come to set."""
    old, new = before.stack, Deployment(ledger.all()).stack
    if old is not None and new is not None:
        ledger.set_outputs(new.urn, {**old.outputs, **new.outputs})


def _replaced(report: Report) -> list[str]:
    return [step.urn for step in report.steps if step.op == "replace"]
