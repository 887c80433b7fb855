"""Read from the stores what a script's document needs, and list what the document depends on."""

from collections.abc import Iterable
from typing import Any

from flowflare.emulator.database import Database
from flowflare.emulator.json_text import parse_json
from flowflare.emulator.runtime.asset_folders import AssetFolders
from flowflare.emulator.runtime.document import Contents
from flowflare.emulator.services.consumers.settings import read_settings
from flowflare.emulator.services.routing.store import RoutingStore
from flowflare.emulator.services.scripts.bindings import owner
from flowflare.emulator.services.scripts.script import Module, Script
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.targets.kinds import BY_BINDING
from flowflare.emulator.services.targets.queue import QUEUE, read_queue_settings
from flowflare.emulator.services.targets.store import TargetsStore
from flowflare.emulator.services.targets.target import TargetKind
from flowflare.emulator.services.workflows.store import WorkflowsStore


class Reader:
    """Read scripts with everything that they refer to.

    Args:
        routing: the store of routes and custom domains.
        folders: the folders of static assets.
    """

    def __init__(
        self,
        database: Database,
        scripts: ScriptsStore,
        workflows: WorkflowsStore,
        routing: RoutingStore,
        folders: AssetFolders,
    ) -> None:
        self._database = database
        self._scripts = scripts
        self._workflows = workflows
        self._routing = routing
        self._folders = folders
        self._stored_targets = TargetsStore(database)

    def names(self, account: str) -> set[str]:
        """Return the names of all scripts of an account."""
        rows = self._database.rows("SELECT name FROM scripts WHERE account = ?", account)
        return {row["name"] for row in rows}

    def queue_settings(self) -> dict[str, dict[str, Any]]:
        """Return what applies to all queues, by their keys."""
        queues = self._stored_targets.list_all(QUEUE)
        return {queue.key: read_queue_settings(queue) for queue in queues}

    def modules(self, script: Script) -> list[Module]:
        """Return a script's modules, the main module first."""
        return self._scripts.scripts.modules(script)

    def scripts(self, account: str, names: Iterable[str]) -> dict[str, Script]:
        """Return the existing scripts among these names."""
        found = (self._scripts.scripts.find(account, name) for name in sorted(names))
        return {script.name: script for script in found if script is not None}

    def contents(self, script: Script, port: int) -> Contents:
        """Return the part of the account that one script depends on."""
        account = script.account
        bound = [binding for binding in script.bindings if binding["type"] == "workflow"]
        workflows = {
            workflow.name: workflow
            for workflow in (
                *self._workflows.list_of_script(account, script.name),
                *self._workflows.list_by_name(
                    account, (str(binding["workflow_name"]) for binding in bound)
                ),
            )
        }
        hosts = {*_hosts(script), *(workflow.script for workflow in workflows.values())} - {
            script.name
        }
        scripts = {script.name: script, **self.scripts(account, hosts)}
        return Contents(
            account=account,
            scripts=scripts,
            ledger=self._scripts.ledger(account, scripts),
            workflows=workflows,
            databases=self._databases(script),
            ports={script.name: port},
            targets=self._targets(script),
            consumes=self._consumes(script),
            assets=self._assets(script),
            patterns={script.name: self._routing.patterns(account, script.name)},
            tails=self._tails(script),
        )

    def _assets(self, script: Script) -> dict[str, Any] | None:
        """Write a script's static assets to their folder, and return how they are served."""
        assets = script.metadata.get("assets")
        return self._folders.describe(script.account, assets) if assets else None

    def _consumes(self, script: Script) -> dict[str, dict[str, Any]]:
        """Return how a script consumes queues, by their keys."""
        rows = self._database.rows(
            "SELECT queue.id, queue.key, queue.name, dead.key AS dead_letter, "
            "consumers.dead_letter_queue, consumers.settings "
            "FROM consumers "
            "JOIN targets AS queue ON queue.account = consumers.account AND queue.kind = 'queue' "
            "AND queue.id = consumers.queue "
            "LEFT JOIN targets AS dead ON dead.account = consumers.account "
            "AND dead.kind = 'queue' AND dead.name = consumers.dead_letter_queue "
            "WHERE consumers.account = ? AND consumers.script = ? ORDER BY queue.key",
            *(script.account, script.name),
        )
        return {
            row["key"]: {
                "id": row["id"],
                "name": row["name"],
                "dead_letter_queue": row["dead_letter_queue"],
                "dead_letter": row["dead_letter"],
                **read_settings(row["settings"]),
            }
            for row in rows
        }

    def _tails(self, script: Script) -> list[dict[str, Any]]:
        """List the tails of a script with their filters."""
        rows = self._database.rows(
            "SELECT id, filters FROM tails WHERE account = ? AND script = ? ORDER BY id",
            *(script.account, script.name),
        )
        return [{"id": row["id"], "filters": parse_json(row["filters"])} for row in rows]

    def _databases(self, script: Script) -> frozenset[str]:
        return frozenset(
            uuid
            for uuid in _databases(script)
            if self._database.row(
                "SELECT 1 FROM databases WHERE uuid = ? AND account = ?", uuid, script.account
            )
        )

    def _targets(self, script: Script) -> dict[str, dict[str, Any]]:
        """Return what the child needs of each bound target, by the binding's name."""
        found = {}
        for binding, kind, name in _targets(script):
            target = self._stored_targets.find(script.account, kind, kind.bound_to, name)
            if target is not None and kind.run is not None:
                found[binding] = kind.run(target)
            elif kind.run_absent is not None:
                found[binding] = kind.run_absent(name)
        return found


def items_of(script: Script, contents: Contents) -> frozenset[str]:
    """List what a script's document depends on, as items of `Changes`.

    Args:
        contents: the part of the account that it depends on.
    """
    consumed = contents.consumes.values()
    bound = [binding for binding in script.bindings if binding["type"] == "workflow"]
    return frozenset(
        (
            *(f"script/{name}" for name in (script.name, *_hosts(script))),
            *(f"script/{workflow.script}" for workflow in contents.workflows.values()),
            *(f"workflow/{binding['workflow_name']}" for binding in bound),
            *(f"database/{uuid}" for uuid in _databases(script)),
            *(f"target/{kind.name}/{name}" for _, kind, name in _targets(script)),
            *(f"target/queue/{queue['id']}" for queue in consumed),
            *(f"target/queue/{queue['dead_letter_queue']}" for queue in consumed),
        )
    )


def _hosts(script: Script) -> set[str]:
    """Return the scripts that implement its services and Durable Objects."""
    bindings = script.bindings
    services = {str(binding["service"]) for binding in bindings if binding["type"] == "service"}
    objects = (binding for binding in bindings if binding["type"] == "durable_object_namespace")
    return services | {owner(binding, script.name) for binding in objects}


def _databases(script: Script) -> set[str]:
    return {
        str(binding.get("id") or binding.get("database_id"))
        for binding in script.bindings
        if binding["type"] == "d1"
    }


def _targets(script: Script) -> list[tuple[str, TargetKind, str]]:
    """List its bindings to targets: the binding's name, the kind, the target's name or ID."""
    return [
        (str(binding["name"]), kind, kind.name_in(binding))
        for binding in script.bindings
        if (kind := BY_BINDING.get(str(binding["type"])))
    ]
