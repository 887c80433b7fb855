"""Hold the rules of Workflows: a name runs a class of a script, and may move to another class."""

from collections.abc import Iterable
from dataclasses import dataclass

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now
from flowflare.emulator.database import Database, Store
from flowflare.emulator.services.scripts.store import ScriptsStore


@dataclass(frozen=True)
class Workflow:
    """Describe a Workflow."""

    account: str
    name: str
    id: str
    script: str
    class_name: str
    version_id: str
    created_on: str
    modified_on: str


class WorkflowsStore(Store):
    """Store the Workflows of all accounts."""

    def __init__(self, database: Database, scripts: ScriptsStore) -> None:
        super().__init__(database)
        self._scripts = scripts

    def put(self, account: str, name: str, script: str, class_name: str) -> Workflow:
        """Create a Workflow, or change its class; its instances stay.

        Raises:
            Refusal: 10007 unknown script, 10201 the script does not export the class.
        """
        if class_name not in self._scripts.get(account, script).classes():
            raise codes.workflow_class(
                f"Script '{script}' does not export a class named '{class_name}'."
            )
        time = now()
        self._database.run(
            "INSERT INTO workflows VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, name) "
            "DO UPDATE SET script = excluded.script, class = excluded.class, "
            "version_id = excluded.version_id, modified_on = excluded.modified_on",
            account,
            name,
            hyphened_id(),
            script,
            class_name,
            hyphened_id(),
            time,
            time,
        )
        return self.get(account, name)

    def get(self, account: str, name: str) -> Workflow:
        """Return the Workflow of that name. Refusal: 10200."""
        for row in self._database.select("workflows", account=account, name=name):
            return Workflow(*row)
        raise codes.workflow_not_found()

    def list_workflows(self, account: str) -> list[Workflow]:
        """List the account's Workflows, by name."""
        rows = self._database.select("workflows", "name", account=account)
        return [Workflow(*row) for row in rows]

    def list_of_script(self, account: str, script: str) -> list[Workflow]:
        """List the Workflows that a script runs."""
        rows = self._database.select("workflows", "name", account=account, script=script)
        return [Workflow(*row) for row in rows]

    def list_by_name(self, account: str, names: Iterable[str]) -> list[Workflow]:
        """List the existing Workflows among these names."""
        return [
            Workflow(*row)
            for name in names
            for row in self._database.select("workflows", account=account, name=name)
        ]

    def delete(self, account: str, name: str) -> Workflow:
        """Delete a Workflow and return it. Refusal: 10200."""
        workflow = self.get(account, name)
        self._database.delete("workflows", account=account, name=name)
        return workflow
