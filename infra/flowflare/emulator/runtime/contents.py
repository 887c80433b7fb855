"""Reads what the Node child has to know of some scripts, and what that depends on."""

from collections.abc import Collection, Iterable
from typing import Any

from flowflare.emulator.database import Database
from flowflare.emulator.runtime.document import Contents
from flowflare.emulator.services.routing.store import RoutingStore
from flowflare.emulator.services.scripts.bindings import owner
from flowflare.emulator.services.scripts.script import Module, Script
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.workflows.store import Workflow, WorkflowsStore

# What a binding calls its target, by its type, and the target's kind.
_TARGETS = {
    "kv_namespace": ("kv", "namespace_id"),
    "r2_bucket": ("r2", "bucket_name"),
    "queue": ("queue", "queue_name"),
}


class Reader:
    """Reads scripts with all that they point to.

    Args:
        database: the emulator's file.
        scripts: where scripts are kept.
        workflows: where Workflows are kept.
        routing: where routes and custom domains are kept.
    """

    def __init__(
        self,
        database: Database,
        scripts: ScriptsStore,
        workflows: WorkflowsStore,
        routing: RoutingStore,
    ) -> None:
        self._database = database
        self._scripts = scripts
        self._workflows = workflows
        self._routing = routing

    def names(self, account: str) -> set[str]:
        """The names of all scripts of an account."""
        rows = self._database.rows("SELECT name FROM scripts WHERE account = ?", account)
        return {row["name"] for row in rows}

    def modules(self, script: Script) -> list[Module]:
        """A script's modules, the main one first."""
        return self._scripts.scripts.modules(script)

    def scripts(self, account: str, names: Iterable[str]) -> dict[str, Script]:
        """The scripts of these names that there are."""
        found = (self._scripts.scripts.find(account, name) for name in sorted(names))
        return {each.name: each for each in found if each is not None}

    def contents(self, script: Script, port: int) -> Contents:
        """What the account has as far as one script depends on it."""
        account = script.account
        bound = [each for each in script.bindings if each["type"] == "workflow"]
        workflows = {
            each.name: each
            for each in (
                *self._workflows.run_by(account, script.name),
                *self._workflows.named(account, (str(each["workflow_name"]) for each in bound)),
            )
        }
        hosts = {*_hosts(script), *(each.script for each in workflows.values())} - {script.name}
        scripts = {script.name: script, **self.scripts(account, hosts)}
        return Contents(
            account=account,
            scripts=scripts,
            ledger=self._scripts.ledger(account, scripts),
            workflows=workflows,
            databases=self._databases(script),
            ports={script.name: port},
            targets=self._targets(script),
            patterns={script.name: self._routing.patterns(account, script.name)},
        )

    def _databases(self, script: Script) -> frozenset[str]:
        return frozenset(
            uuid
            for uuid in _databases(script)
            if self._database.row(
                "SELECT 1 FROM databases WHERE uuid = ? AND account = ?", uuid, script.account
            )
        )

    def _targets(self, script: Script) -> dict[tuple[str, str], str]:
        found = {}
        for kind, called in _targets(script):
            column = "name" if kind == "queue" else "id"
            row = self._database.row(
                f"SELECT key FROM targets WHERE account = ? AND kind = ? AND {column} = ?",  # noqa: S608
                script.account,
                kind,
                called,
            )
            if row is not None:
                found[kind, called] = str(row["key"])
        return found


def things_of(script: Script, workflows: Collection[Workflow]) -> frozenset[str]:
    """What a script's document depends on, as `Changes` calls it.

    Args:
        script: the script.
        workflows: the Workflows that it runs or is bound to.
    """
    bound = [each for each in script.bindings if each["type"] == "workflow"]
    return frozenset(
        (
            *(f"script/{each}" for each in (script.name, *_hosts(script))),
            *(f"script/{each.script}" for each in workflows),
            *(f"workflow/{each['workflow_name']}" for each in bound),
            *(f"database/{each}" for each in _databases(script)),
            *(f"target/{kind}/{called}" for kind, called in _targets(script)),
        )
    )


def _hosts(script: Script) -> set[str]:
    """The scripts its services and Durable Objects are of."""
    services = {str(each["service"]) for each in script.bindings if each["type"] == "service"}
    objects = (each for each in script.bindings if each["type"] == "durable_object_namespace")
    return services | {owner(each, script.name) for each in objects}


def _databases(script: Script) -> set[str]:
    return {
        str(each.get("id") or each.get("database_id"))
        for each in script.bindings
        if each["type"] == "d1"
    }


def _targets(script: Script) -> list[tuple[str, str]]:
    found: list[tuple[str, Any]] = [
        (_TARGETS[each["type"]][0], each.get(_TARGETS[each["type"]][1]))
        for each in script.bindings
        if each["type"] in _TARGETS
    ]
    return [(kind, str(called)) for kind, called in found]
