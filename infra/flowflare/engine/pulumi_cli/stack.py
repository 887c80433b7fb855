"""Run a stack with the Pulumi CLI: preview, up, destroy, outputs, unlock."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from flowflare.config.files import Project
from flowflare.engine.access import make_stack_environment
from flowflare.engine.choice import EVERYTHING, Choice
from flowflare.engine.pulumi_cli.command import require_cli
from flowflare.engine.pulumi_cli.failures import explain_taken_name
from flowflare.engine.pulumi_cli.hold import hold, let_go
from flowflare.engine.pulumi_cli.invocation import CommandFailedError
from flowflare.engine.pulumi_cli.plugin_records import unreadable
from flowflare.engine.pulumi_cli.plugins import refuse_broken_plugins
from flowflare.engine.pulumi_cli.stack_secrets import StackSecrets
from flowflare.engine.pulumi_cli.state import find_cli_store, from_export, read_deployment
from flowflare.engine.pulumi_cli.state_repair import StateRepair
from flowflare.engine.pulumi_cli.translate import Translator
from flowflare.engine.pulumi_cli.workspace import Workspace
from flowflare.engine.report import describe_failures, redact_step
from flowflare.errors import EngineError, FlowflareError, SecretError
from flowflare.reading.json_text import parse_json
from flowflare.redaction.run import redact_method, redact_values
from flowflare.state.backend import Backend
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.state.lease import Holding
from flowflare.values.events import Event, OnEvent, Plan, Step, Update, warn
from flowflare.values.show import shown_props

if TYPE_CHECKING:
    from flowflare.engine.embedded.state_edit import StateEdit
    from flowflare.engine.plan_facts import CheckState, Observe
    from flowflare.engine.pulumi_cli.lost_answers import AccountSearch
    from flowflare.engine.pulumi_cli.served import ServedProgram
    from flowflare.kinds.access import ReadAccess


class CliStack:
    """One stack of a project; every method runs the CLI.

    Args:
        clock: returns seconds, to measure durations.
        utc_now: the time, to distinguish what this run created from what existed before.

    Raises:
        EngineError: the CLI is not installed, or its version is out of range.
    """

    def __init__(
        self,
        project: Project,
        *,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.project = project
        self._environ = environ = make_stack_environment(project, environ)
        self._clock = clock
        self._utc_now = utc_now
        cli = require_cli(environ, f"stack {project.stack}")
        self._workspace = Workspace(project, cli, environ)
        self._repair = StateRepair(project, environ, self._workspace, self._account, self._import)
        self._secrets = StackSecrets(
            project, environ, self._export_opened, self._read_opened_config
        )
        self._holding: Holding | None = None

    @redact_method
    def preview(self, on_event: OnEvent | None = None, observe: "Observe | None" = None) -> Plan:
        """Let the CLI plan what `up` would do; a recording of the program adds the details.

        Without a recording, `observe` takes the inputs as the CLI shows them, without secrets.
        """
        from flowflare.engine.pulumi_cli.recorded import add_details, preview_and_record

        self._workspace.require_plugins("preview")
        seen: list[tuple[Deployment, Sequence[Resource]]] = []
        run, recorded = preview_and_record(
            self.project,
            self._environ,
            self._export_opened,
            partial(self._operate, "preview", on_event, planning=True),
            lambda *what: seen.append(what),
        )
        steps, outputs = _redact_run(run)
        if observe is not None and recorded is not None:
            observe(*seen[-1])
        elif observe is not None:
            shown = (step for step in steps if step.new is not None)
            records = [Resource(s.urn, s.type, s.custom, inputs=dict(s.new or {})) for s in shown]
            observe(self.read(), records)
        plan = Plan(steps, outputs, tuple(run.report.failures))
        return plan if recorded is None else add_details(plan, recorded)

    @redact_method
    def up(
        self,
        on_event: OnEvent | None = None,
        *,
        check_state: "CheckState | None" = None,
        choice: Choice = EVERYTHING,
    ) -> Update:
        """Settle what an earlier run left unfinished, then deploy what the program declares."""
        since, began = self._clock(), self._utc_now()
        self._workspace.require_plugins("up")
        with self._hold(on_event):
            if check_state is not None:
                check_state(self.read())
            self._require_needs(on_event)
            self._refuse_sql(choice)
            self._repair.prepare(on_event)
            run = self._operate("up", on_event, words=choice.list_words())
            refused = run.refused_creations if run.report.failures else ()
            if self._repair.take_over(refused, began, on_event):
                run = self._operate("up", on_event, words=choice.list_words())
        run.report.failures[:] = map(explain_taken_name, run.report.failures)
        return self._make_update(run, since)

    @redact_method
    def refresh(self, on_event: OnEvent | None = None) -> Update:
        """Let the CLI read the account into the state."""
        since = self._clock()
        with self._hold(on_event):
            self._repair.prepare(on_event)
            return self._make_update(self._operate("refresh", on_event), since)

    @redact_method
    def plan_destroy(self, *, lose_data: Collection[str] = ()) -> Plan:
        """Let the CLI plan what `destroy` would do."""
        run = self._operate("preview_destroy", None, planning=True)
        left = [failure for failure in run.report.failures if failure.name not in lose_data]
        return Plan(_redact_run(run)[0], {}, tuple(left))

    @redact_method
    def destroy(
        self, on_event: OnEvent | None = None, *, lose_data: Collection[str] = ()
    ) -> Update:
        """Delete all resources of the stack, dependents first. The program does not run."""
        from flowflare.engine.embedded.destroy import refuse_protected

        since = self._clock()
        with self._hold(on_event):
            self._repair.prepare(on_event, upgrade=False)
            exported = self._workspace.export()
            records = from_export(exported).resources
            refuse_protected(records, lose_data, stack=self.project.stack)
            for record in records:
                if record.name in lose_data and record.protect:
                    self._workspace.run("state", "unprotect", record.urn, "--yes")
            if unreadable(exported.get("deployment") or {}):
                self._repair.complete()
            return self._make_update(self._operate("destroy", on_event), since)

    @redact_method
    def outputs(
        self, *, show_secrets: bool = False, on_event: OnEvent | None = None
    ) -> dict[str, Any]:
        """Return the stack's outputs as JSON values, by name."""
        stack = self._read(show_secrets=show_secrets).stack
        values = shown_props(stack.outputs, show_secrets=show_secrets) if stack else {}
        if show_secrets or not values:
            return values
        self._secrets.watch(on_event or _ignore)
        shown: dict[str, Any] = redact_values(values)
        return shown

    def is_empty(self) -> bool:
        """Return whether the stack has no resources, so that there is nothing to destroy."""
        deployment = self._read()
        return not deployment.resources and not deployment.pending

    def remove(self) -> None:
        """Remove the stack's state and history (`pulumi stack rm`)."""
        with self._hold(None):
            self._workspace.run("stack", "rm", "--yes", "--force", "--preserve-config")

    def unlock(self) -> list[str]:
        """Remove every lock of the stack (`pulumi cancel`), which no other run may be using."""
        lease = let_go(self.project, self._environ)
        self._workspace.run("cancel", "--yes")
        said = [f"the locks of stack {self.project.stack}, if it had any (pulumi cancel)"]
        return [*said, *([str(lease)] if lease else [])]

    def token(self) -> str:
        """Open the API token; the CLI opens a configured token that only it can open."""
        from flowflare.engine.access import find_token

        try:
            return find_token(self.project, self._environ)
        except SecretError:
            opened = self.setting("cloudflare:apiToken")
            if not opened:
                raise
            return opened

    def is_made(self) -> bool:
        """Return whether the backend has the stack; True if only the CLI can find out."""
        return self._is_in_backend() is not False

    def make(self) -> None:
        """Create the stack if it is missing (`pulumi stack init`), without selecting it.

        Raises:
            FlowflareError: the CLI cannot create it.
        """
        if self._is_in_backend():
            return
        provider = self.project.secrets_provider
        words = ["--secrets-provider", provider] if provider else []
        try:
            self._workspace.run("stack", "init", "--no-select", *words)
        except FlowflareError as error:
            if "already exists" not in error.message:
                raise

    def _is_in_backend(self) -> bool | None:
        project = self.project
        store = find_cli_store(project.shared, self._environ)
        return None if store is None else Backend(store, project.name, project.stack).exists

    def export(self) -> Mapping[str, Any]:
        """Export the stack's deployment as `pulumi stack export` prints it, with sealed secrets."""
        return self._workspace.export()

    def import_(self, exported: Mapping[str, Any]) -> None:
        """Replace the stack's deployment (`pulumi stack import`); the CLI seals its secrets.

        Args:
            exported: what `export` returned, with another `deployment`; its secrets may be open.
        """
        self._workspace.import_(exported)

    def read(self) -> Deployment:
        """Read the stack's state; its secrets are decrypted on access."""
        return read_deployment(self.project, self._environ, self._export_opened)

    def edit(self) -> "StateEdit":
        """Read the state once, to run the program over it and to replace it."""
        from flowflare.engine.pulumi_cli.state_import import edit_by_import

        return edit_by_import(self, self._environ)

    # ----------------------------------------------------------------------------------------------

    def _export_opened(self) -> Mapping[str, Any]:
        return self._workspace.export(show_secrets=True)

    def _read_opened_config(self) -> Mapping[str, Any]:
        values = parse_json(self._workspace.run("config", "--show-secrets", "--json"))
        return values if isinstance(values, dict) else {}

    def _read(self, *, show_secrets: bool = False) -> Deployment:
        return from_export(self._workspace.export(show_secrets=show_secrets))

    @contextlib.contextmanager
    def _hold(self, on_event: OnEvent | None) -> Iterator[None]:
        with hold(self.project, self._environ, partial(warn, on_event)) as holding:
            if holding and holding.taken:
                lease = holding.taken
                warn(on_event, f"took over the stack from a dead run: {lease}")
            self._holding = holding
            try:
                yield
            finally:
                self._holding = None

    def _import(self, exported: Mapping[str, Any]) -> None:
        if self._holding:
            self._holding.check()
        self._workspace.import_(exported)

    def _operate(
        self,
        what: str,
        on_event: OnEvent | None,
        *,
        planning: bool = False,
        served: "ServedProgram | None" = None,
        client: str = "",
        words: Sequence[str] = (),
    ) -> Translator:
        if self._holding and not planning:
            self._holding.check()
        refreshing = what == "refresh"
        run = Translator(on_event, self._clock, planning=planning, refreshing=refreshing)
        error: FlowflareError | None = None
        take = self._secrets.follow(run.take, run.report.note)
        try:
            self._workspace.operate(what, take, client=client, words=words)
        except CommandFailedError as raised:
            error = self._workspace.error(raised)
        run.finish()
        if error is None and not run.ended:
            error = EngineError(f"pulumi {what} did not report how it ended")
        refuse_broken_plugins(self.project.stack, run.report.failures)
        program = run.find_program_failure(served.error if served else None)
        if program is not None:
            raise (
                describe_failures(run.report.failures, program=program)
                if run.report.failures
                else program
            )
        if error is not None and not run.report.failures:
            raise error
        return run

    def _make_update(self, run: Translator, since: float) -> Update:
        if run.report.failures:
            raise describe_failures(run.report.failures)
        return Update(*_redact_run(run), self._clock() - since)

    def _require_needs(self, on_event: OnEvent | None) -> None:
        from flowflare.engine.preflight import require_needs

        require_needs(self.project, self._environ, self._open_access, on_event)

    def _refuse_sql(self, choice: Choice) -> None:
        """Refuse an `up` whose migrations D1 would refuse, before it makes the database.

        The update asks the provider of the migrations only when the database is there.
        """
        from flowflare.engine.preflight import has_doubtful_sql, refuse_known_failures

        if has_doubtful_sql(self.project):
            run = self._operate("preview", None, planning=True, words=choice.list_words())
            refuse_known_failures(run.report.failures)

    def _open_access(self) -> "ReadAccess":
        from flowflare.engine.access import read_base_url
        from flowflare.kinds.access import ReadAccess

        return ReadAccess(read_base_url(self.project, self._environ), self.token())

    def _account(self) -> "AccountSearch":
        from flowflare.engine.pulumi_cli.lost_answers import AccountSearch

        return AccountSearch(
            self.setting("cloudflare:baseUrl"), self.setting("cloudflare:apiToken")
        )

    def setting(self, key: str) -> str:
        """Return a value of the configuration, opened, or else of the environment.

        Args:
            key: `cloudflare:baseUrl` or `cloudflare:apiToken`.
        """
        value = self.project.values.get(key)
        if value is not None and value.secret:
            return self._workspace.run("config", "get", key).strip()
        if value is not None:
            return value.text
        variables = {
            "cloudflare:baseUrl": "CLOUDFLARE_BASE_URL",
            "cloudflare:apiToken": "CLOUDFLARE_API_TOKEN",
        }
        return self._environ.get(variables[key], "")


def _ignore(event: Event) -> None:
    del event


def _redact_run(run: Translator) -> tuple[tuple[Step, ...], dict[str, Any]]:
    """Return a run's steps and outputs without secrets that became known after a step."""
    return tuple(map(redact_step, run.report.steps)), redact_values(run.outputs)
