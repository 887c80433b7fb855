"""Run a stack on the embedded engine: preview, up, destroy, outputs, unlock."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from flowflare.config.engine import engine_of
from flowflare.config.files import Project
from flowflare.engine.choice import EVERYTHING, Choice
from flowflare.engine.configuration import Configuration
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.stack_state import (
    Source,
    StackState,
    read_deployment,
    read_stack_state,
)
from flowflare.engine.report import RunLog, describe_failures
from flowflare.errors import FlowflareError
from flowflare.redaction.run import redact_method, redact_values
from flowflare.state.backend import Backend
from flowflare.state.checkpoint import Deployment
from flowflare.state.history import record_run
from flowflare.state.lease import Lease
from flowflare.state.lock import Held, Lock, lock_stack, unlock
from flowflare.state.watch import Clock
from flowflare.values.events import OnEvent, Plan, Update, warn
from flowflare.values.show import shown_props

if TYPE_CHECKING:
    from flowflare.api import Connector
    from flowflare.engine.embedded.apply import Deployer
    from flowflare.engine.embedded.providers.registry import Providers
    from flowflare.engine.embedded.state_edit import StateEdit
    from flowflare.engine.plan_facts import CheckState, Observe

D = TypeVar("D", bound="Deployer")


class EmbeddedStack:
    """One stack of a project; every method is a run of its own.

    Args:
        clock: returns seconds, to measure durations.
        api: opens the API's clients, by default with what this process shares.
        lease_clock: the time of the lease that a run holds.
        source: where state and program come from, by default from the stack's backend and this
            process.
    """

    def __init__(
        self,
        project: Project,
        *,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        api: "Connector | None" = None,
        lease_clock: Clock | None = None,
        source: Source | None = None,
    ) -> None:
        self.project = project
        self._environ = environ
        self._clock = clock
        self._api = api
        self._lease_clock = lease_clock
        self._source = source

    @redact_method
    def preview(self, on_event: OnEvent | None = None, observe: "Observe | None" = None) -> Plan:
        """Run the program and plan what `up` would do, without API calls and without writing."""
        state = self._read()
        report = RunLog(on_event, self._clock)
        report.name_cli_keys(self.project.cli_keys)
        ledger = Ledger(state.deployment, lambda: "", None)
        providers = self._providers(state.config)
        with self._own_code():
            from flowflare.engine.embedded.apply import Deployer
            from flowflare.engine.embedded.destroy import Deleter

            self._run(Deployer(ledger, providers, report, dry_run=True), report, state.config)

            Deleter(ledger, providers, report).plan(ledger.list_untouched())
        if observe is not None:
            observe(state.deployment, ledger.list_handled())
        return Plan(tuple(report.steps), _outputs(ledger), tuple(report.failures))

    @redact_method
    def up(
        self,
        on_event: OnEvent | None = None,
        *,
        check_state: "CheckState | None" = None,
        choice: Choice = EVERYTHING,
    ) -> Update:
        """Bring the stack to what the program declares."""
        since = self._clock()
        report = RunLog(on_event, self._clock)
        report.name_cli_keys(self.project.cli_keys)
        with self._hold("update", report) as held, report.of_waits(self._api):
            state = self._read(check=True)
            if check_state is not None:
                check_state(state.deployment)
            self._refuse_remote(state.config)
            self._require_needs(report, choice)
            ledger = self._ledger(state, held)
            providers = self._providers(state.config)
            try:
                with self._own_code():
                    if choice.refresh:
                        self._refresh(ledger, providers, RunLog(on_event, self._clock, quiet=True))
                    self._apply(ledger, providers, report, state, choice)
            finally:
                ledger.finish()
        if report.failures:
            raise describe_failures(report.failures)
        return Update(tuple(report.steps), _outputs(ledger), self._clock() - since)

    @redact_method
    def refresh(self, on_event: OnEvent | None = None) -> Update:
        """Mark what differs in the account, and drop what the account lacks from state."""
        since = self._clock()
        report = RunLog(on_event, self._clock)
        with self._hold("refresh", report) as held, report.of_waits(self._api):
            state = self._read(check=True)
            self._refuse_remote(state.config)
            ledger = self._ledger(state, held)
            try:
                with self._own_code():
                    self._refresh(ledger, self._providers(state.config), report)
            finally:
                ledger.finish()
        return Update(tuple(report.steps), _outputs(ledger), self._clock() - since)

    @redact_method
    def plan_destroy(self, *, lose_data: Collection[str] = ()) -> Plan:
        """Plan what `destroy` would do, without API calls and without writing."""
        from flowflare.engine.embedded.destroy import Deleter

        state = self._read()
        report = RunLog(None, self._clock)
        ledger = Ledger(state.deployment, lambda: "", None)
        deleter = Deleter(ledger, self._providers(state.config), report, lifted=lose_data)
        deleter.plan(ledger.list_untouched(), what="destroyed")
        return Plan(tuple(report.steps), {}, tuple(report.failures))

    @redact_method
    def destroy(
        self, on_event: OnEvent | None = None, *, lose_data: Collection[str] = ()
    ) -> Update:
        """Delete all resources of the stack, dependents first. The program does not run."""
        since = self._clock()
        report = RunLog(on_event, self._clock)
        with self._hold("destroy", report) as held, report.of_waits(self._api):
            state = self._read(check=True)
            self._refuse_remote(state.config)
            ledger = self._ledger(state, held)
            from flowflare.engine.embedded.destroy import Deleter, refuse_protected

            refuse_protected(ledger.list_untouched(), lose_data, stack=self.project.stack)
            providers = self._providers(state.config)
            deleter = Deleter(ledger, providers, report, lifted=lose_data)
            try:
                with self._own_code():
                    deleter.clear_interrupted()
                    deleter.delete(ledger.list_untouched())
            finally:
                ledger.finish()
        if report.failures:
            raise describe_failures(report.failures)
        return Update(tuple(report.steps), {}, self._clock() - since)

    @redact_method
    def outputs(
        self, *, show_secrets: bool = False, on_event: OnEvent | None = None
    ) -> dict[str, Any]:
        """Return the stack's outputs as JSON values, by name."""
        state = self.read()
        values = shown_props(state.stack.outputs, show_secrets=show_secrets) if state.stack else {}
        if show_secrets or not values:
            return values
        from flowflare.engine.known_secrets import learn_stack_secrets

        learn_stack_secrets(self.project, self._environ, state, on_event)
        shown: dict[str, Any] = redact_values(values)
        return shown

    def token(self) -> str:
        """Open the API token of the configuration, else of the environment."""
        from flowflare.engine.access import find_token

        return find_token(self.project, self._environ)

    def make(self) -> None:
        """Do nothing: the first `up` writes the stack's state."""

    def is_made(self) -> bool:
        """Return True: a stack without state is an empty stack."""
        return True

    def is_empty(self) -> bool:
        """Return whether the stack has no resources, so that there is nothing to destroy."""
        deployment = self.read()
        return not deployment.resources and not deployment.pending

    def remove(self) -> None:
        """Remove the stack's state and history from its backend."""
        with lock_stack(self._backend):
            self._backend.delete(self._backend.read_current())

    def unlock(self) -> list[Lock | Lease]:
        """Remove the locks that dead runs left on the stack, and end their lease."""
        return unlock(self._backend)

    # ----------------------------------------------------------------------------------------------

    @cached_property
    def _backend(self) -> Backend:
        from flowflare.state.location import open_backend

        project = self.project
        return open_backend(project.shared, project.stack, self._environ)

    def read(self) -> Deployment:
        """Read only the state; its secrets are decrypted on access."""
        return read_deployment(self._backend, self.project, self._environ)

    def edit(self) -> "StateEdit":
        """Read the state once, to run the program over it and to replace it."""
        from flowflare.engine.embedded.state_edit import edit_in_backend

        state = self._read(check=True)
        return edit_in_backend(self._backend, state, self.project, self._environ)

    def run_over(
        self, make: "Callable[[Ledger, Providers, RunLog], D]"
    ) -> "tuple[Ledger, D, RunLog]":
        """Run the program once with another deployer; nothing is written.

        Args:
            make: makes the deployer, which answers the program's registrations.

        Returns:
            The records of the run, the deployer, and what failed.
        """
        state = self._read()
        report = RunLog(None, self._clock)
        ledger = Ledger(state.deployment, lambda: "", None)
        deployer = make(ledger, self._providers(state.config), report)
        with self._own_code():
            self._run(deployer, report, state.config)
        return ledger, deployer, report

    def _read(self, *, check: bool = False) -> StackState:
        if self._source is not None:
            return self._source.read_state()
        return read_stack_state(self._backend, self.project, self._environ, check=check)

    @contextlib.contextmanager
    def _hold(
        self, kind: Literal["update", "destroy", "refresh"], report: RunLog
    ) -> Iterator[Held]:
        """Hold the stack during a run, and record the run in the backend's history."""
        backend, note = self._backend, partial(warn, report.note)
        with (
            lock_stack(backend, clock=self._lease_clock, on_wait=note) as held,
            record_run(backend, kind, self.project, report, held.holding.check),
        ):
            for lease in held.taken:
                note(f"took over the stack from a dead run: {lease}")
            yield held

    def _ledger(self, state: StackState, held: Held) -> Ledger:
        assert state.checkpoint is not None, "the state of a `Source` is not written"
        vault = state.vault
        guard = held.holding.check
        write = self._backend.make_writer(vault, after=state.checkpoint, guard=guard)
        return Ledger(state.deployment, lambda: vault.salt, write)

    def _providers(self, config: Configuration) -> "Providers":
        from flowflare.api import PROCESS
        from flowflare.engine.access import make_stack_environment
        from flowflare.engine.embedded.providers.registry import Providers
        from flowflare.engine.embedded.stack_reference import StackReferences

        project = self.project
        return Providers(
            project.name,
            project.stack,
            config.values,
            make_stack_environment(project, self._environ),
            api=self._api or PROCESS,
            references=StackReferences(self._backend, project.root, self._environ),
            refuses_others=not engine_of(project).needs_cli,
        )

    def _require_needs(self, report: RunLog, choice: Choice) -> None:
        """Refuse what lacks something or cannot be made, before anything is changed."""
        from flowflare.engine.access import read_base_url
        from flowflare.engine.embedded.survey import survey
        from flowflare.engine.preflight import require_needs
        from flowflare.kinds.access import ReadAccess

        def open_access() -> ReadAccess:
            url = read_base_url(self.project, self._environ)
            return ReadAccess(url, self.token(), api=self._api)

        require_needs(self.project, self._environ, open_access, report.note)
        survey(self.run_over, choice)

    def _refuse_remote(self, config: Configuration) -> None:
        from flowflare.kinds.access import require_loopback

        base_url = config.texts.get("cloudflare:baseUrl") or self._environ.get(
            "CLOUDFLARE_BASE_URL"
        )
        if base_url:
            require_loopback(base_url)

    def _refresh(self, ledger: Ledger, providers: "Providers", report: RunLog) -> None:
        from flowflare.api import PROCESS
        from flowflare.engine.access import read_base_url
        from flowflare.engine.embedded.refresh import refresh
        from flowflare.kinds.account import Account

        address = read_base_url(self.project, self._environ)
        client = (self._api or PROCESS).open(address, self.token())
        value = self.project.values.get("flowflare:accountId")
        refresh(ledger, providers, Account(client, value.text if value else ""), report)

    def _apply(
        self,
        ledger: Ledger,
        providers: "Providers",
        report: RunLog,
        state: StackState,
        choice: Choice,
    ) -> None:
        from flowflare.engine.embedded.apply import Deployer

        deployer = Deployer(ledger, providers, report, dry_run=False, choice=choice)
        try:
            self._run(deployer, report, state.config, dry_run=False)
        except FlowflareError as error:
            _merge_outputs(ledger, state.deployment)
            if report.failures:
                raise describe_failures(report.failures, program=error) from error
            raise
        if not report.failures:
            from flowflare.engine.embedded.destroy import Deleter

            deleter = Deleter(ledger, providers, report)
            if not choice.targets:
                deleter.clear_interrupted()
            chosen = deployer.choose_deletions(ledger.list_untouched())
            deleter.delete(chosen, replaced=_list_replaced(report))

    def _own_code(self) -> "contextlib.AbstractContextManager[None]":
        from flowflare.engine.embedded.program import admit_code

        return admit_code(self.project, self._environ)

    def _run(
        self, deployer: "Deployer", report: RunLog, config: Configuration, *, dry_run: bool = True
    ) -> None:
        from flowflare.engine.embedded.monitor import Engine, ResourceMonitor
        from flowflare.engine.embedded.program import Program, run

        project = self.project
        monitor = ResourceMonitor(project.name, project.stack, deployer, dry_run=dry_run)
        program = Program(project, config.texts, config.secret)
        run_program = (self._source and self._source.run_program) or run
        run_program(program, monitor, Engine(report), dry_run=dry_run)


def _outputs(ledger: Ledger) -> dict[str, Any]:
    stack = Deployment(ledger.all()).stack
    return redact_values(shown_props(stack.outputs)) if stack else {}


def _merge_outputs(ledger: Ledger, before: Deployment) -> None:
    """Keep the old outputs of the stack that a failed program did not set."""
    old, new = before.stack, Deployment(ledger.all()).stack
    if old is not None and new is not None:
        ledger.set_outputs(new.urn, {**old.outputs, **new.outputs})


def _list_replaced(report: RunLog) -> list[str]:
    return [step.urn for step in report.steps if step.op == "replace"]
