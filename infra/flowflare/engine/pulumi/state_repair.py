"""Repairs the state of a CLI stack: lost creations are taken over, incomplete records completed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowflare.config.files import Project
from flowflare.engine.pulumi.adopt import Found, pending_creations, settled, with_resource
from flowflare.engine.pulumi.plugin_records import is_sealed, make_readable, unreadable
from flowflare.engine.pulumi.state import stored_deployment
from flowflare.engine.pulumi.translate import Taken
from flowflare.engine.pulumi.workspace import Workspace
from flowflare.state.cron_cleanups import missing_cron_cleanups, with_cron_cleanups
from flowflare.values.events import OnEvent, warn
from flowflare.values.urns import name_of

if TYPE_CHECKING:
    from flowflare.engine.pulumi.lost_answers import Account

Deployment = Mapping[str, Any]


class StateRepair:
    """Repairs the state of one stack, which no other run may change meanwhile.

    Args:
        project: the project seen through the stack.
        environ: the environment, for the backend.
        workspace: runs the CLI.
        open_account: opens the stack's account, for looking things up.
        import_: stores an export in place of the stack's state.
    """

    def __init__(
        self,
        project: Project,
        environ: Mapping[str, str],
        workspace: Workspace,
        open_account: Callable[[], "Account"],
        import_: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._project = project
        self._environ = environ
        self._workspace = workspace
        self._open_account = open_account
        self._import = import_

    def prepare(self, on_event: OnEvent | None, *, upgrade: bool = True) -> None:
        """Settle what a killed run had begun to create, before the CLI creates it again.

        Args:
            on_event: is told what was found.
            upgrade: whether to add what an earlier version left out of the state.
        """
        stored = stored_deployment(self._project, self._environ)
        if stored is not None and _is_in_order(stored, upgrade=upgrade):
            return

        def repair(deployment: Deployment) -> Deployment:
            known = self._without_pending(deployment, on_event)
            return with_cron_cleanups(self._readable(known)) if upgrade else known

        self._change(repair)

    def complete(self) -> None:
        """Complete records that Cloudflare's plugin cannot read; for one run of `destroy`."""
        self._change(self._readable)

    def take_over(
        self, refused: Collection[Taken], began: datetime, on_event: OnEvent | None
    ) -> bool:
        """Take over what a run created without hearing of it.

        Args:
            refused: the creations of the run that were refused.
            began: when the run began, UTC.
            on_event: is told what was taken over.

        Returns:
            Whether there was such a thing.
        """
        from flowflare.engine.pulumi.lost_answers import is_name_taken

        taken = [one for one in refused if is_name_taken(one.reason)]
        if not taken:
            return False
        account, exported = self._open_account(), self._workspace.export()
        deployment: dict[str, Any] = dict(exported.get("deployment") or {})
        adopted = False
        for one in taken:
            thing = account.just_made(one.record, began)
            if thing is not None:
                adopted = True
                deployment = with_resource(deployment, one.record, thing)
                _report(on_event, one.record["urn"], thing)
        if adopted:
            self._import({**exported, "deployment": deployment})
        return adopted

    def _change(self, change: Callable[[Deployment], Deployment]) -> None:
        """Export the state, change it, and import the result if it is different."""
        exported = self._workspace.export()
        before = exported.get("deployment") or {}
        after = change(before)
        if after != before:
            self._import({**exported, "deployment": after})

    def _without_pending(self, deployment: Deployment, on_event: OnEvent | None) -> Deployment:
        pending = pending_creations(deployment)
        if not pending:
            return deployment
        account, opened = self._open_account(), self._opened(deployment, pending)
        known = {one["urn"]: one for one in pending_creations(opened)}
        found: dict[str, Found | None] = {}
        for one in pending:
            urn = one["urn"]
            found[urn] = account.made_by(known[urn])
            _report(on_event, urn, found[urn])
        return settled(deployment, found)

    def _readable(self, deployment: Deployment) -> Deployment:
        lacking = unreadable(deployment)
        if not lacking:
            return deployment
        return make_readable(deployment, self._opened(deployment, lacking))

    def _opened(self, deployment: Deployment, records: Sequence[Mapping[str, Any]]) -> Deployment:
        """The deployment with its secrets open, where those records have any."""
        if not any(map(is_sealed, records)):
            return deployment
        exported = self._workspace.export(show_secrets=True)
        return dict(exported.get("deployment") or {})


def _is_in_order(deployment: Deployment, *, upgrade: bool) -> bool:
    lacking = upgrade and (unreadable(deployment) or missing_cron_cleanups(deployment))
    return not lacking and not pending_creations(deployment)


def _report(on_event: OnEvent | None, urn: str, found: Found | None) -> None:
    if found is None:
        said = "an interrupted run had begun to make it and left nothing; it is made now"
    else:
        said = f"an earlier request made it and the answer was lost; taken over as {found.id}"
    warn(on_event, f"{name_of(urn)}: {said}")
