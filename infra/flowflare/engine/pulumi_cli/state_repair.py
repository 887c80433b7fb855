"""Repair the state of a CLI stack: take over lost creations, complete incomplete records."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowflare.config.files import Project
from flowflare.engine.pulumi_cli.adopt import (
    Found,
    add_resource,
    pending_creations,
    settle_creations,
)
from flowflare.engine.pulumi_cli.plugin_records import is_sealed, make_readable, unreadable
from flowflare.engine.pulumi_cli.state import stored_deployment
from flowflare.engine.pulumi_cli.translate import Taken
from flowflare.engine.pulumi_cli.workspace import Workspace
from flowflare.kinds.cron_cleanup.upgrade import add_cron_cleanups, list_missing_cleanups
from flowflare.values.events import OnEvent, warn
from flowflare.values.urns import name_of

if TYPE_CHECKING:
    from flowflare.engine.pulumi_cli.lost_answers import AccountSearch

Deployment = Mapping[str, Any]


class StateRepair:
    """Repairs the state of one stack, which no other run may change meanwhile.

    Args:
        open_account: opens the stack's account, for looking things up.
        import_: replaces the stack's state by an export.
    """

    def __init__(
        self,
        project: Project,
        environ: Mapping[str, str],
        workspace: Workspace,
        open_account: Callable[[], "AccountSearch"],
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
            on_event: takes a warning about each resource that was settled.
            upgrade: whether to add what an earlier version did not write to the state.
        """
        stored = stored_deployment(self._project, self._environ)
        if stored is not None and _is_in_order(stored, upgrade=upgrade):
            return

        def repair(deployment: Deployment) -> Deployment:
            known = self._without_pending(deployment, on_event)
            return add_cron_cleanups(self._readable(known)) if upgrade else known

        self._change(repair)

    def complete(self) -> None:
        """Complete records that Cloudflare's plugin cannot read; for one run of `destroy`."""
        self._change(self._readable)

    def take_over(
        self, refused: Collection[Taken], began: datetime, on_event: OnEvent | None
    ) -> bool:
        """Take over what a run created without receiving the answer.

        Args:
            refused: the creations of the run that were refused.
            began: when the run began, UTC.
            on_event: takes a warning about each resource that was taken over.

        Returns:
            Whether anything was taken over.
        """
        from flowflare.engine.pulumi_cli.lost_answers import is_name_taken

        taken = [creation for creation in refused if is_name_taken(creation.reason)]
        if not taken:
            return False
        account, exported = self._open_account(), self._workspace.export()
        deployment: dict[str, Any] = dict(exported.get("deployment") or {})
        adopted = False
        for creation in taken:
            thing = account.just_made(creation.record, began)
            if thing is not None:
                adopted = True
                deployment = add_resource(deployment, creation.record, thing)
                _report(on_event, creation.record["urn"], thing)
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
        account, opened = self._open_account(), self._open_secrets(deployment, pending)
        known = {record["urn"]: record for record in pending_creations(opened)}
        found: dict[str, Found | None] = {}
        for record in pending:
            urn = record["urn"]
            found[urn] = account.made_by(known[urn])
            _report(on_event, urn, found[urn])
        return settle_creations(deployment, found)

    def _readable(self, deployment: Deployment) -> Deployment:
        lacking = unreadable(deployment)
        if not lacking:
            return deployment
        return make_readable(deployment, self._open_secrets(deployment, lacking))

    def _open_secrets(
        self, deployment: Deployment, records: Sequence[Mapping[str, Any]]
    ) -> Deployment:
        """Read the deployment with open secrets if the given records have secrets."""
        if not any(map(is_sealed, records)):
            return deployment
        exported = self._workspace.export(show_secrets=True)
        return dict(exported.get("deployment") or {})


def _is_in_order(deployment: Deployment, *, upgrade: bool) -> bool:
    lacking = upgrade and (unreadable(deployment) or list_missing_cleanups(deployment))
    return not lacking and not pending_creations(deployment)


def _report(on_event: OnEvent | None, urn: str, found: Found | None) -> None:
    if found is None:
        said = "an interrupted run began to create it, but it does not exist; it is created now"
    else:
        said = f"an earlier request created it, but the response was lost; adopted as {found.id}"
    warn(on_event, f"{name_of(urn)}: {said}")
