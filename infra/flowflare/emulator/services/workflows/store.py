"""Hold the rules of Workflows: a name runs a class of a script, and may move to another class."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now
from flowflare.emulator.database import Database, Store
from flowflare.emulator.json_text import write_json
from flowflare.emulator.services.scripts.store import ScriptsStore

NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]*")
_MAX_NAME = 64
_BASE = "WorkflowEntrypoint"


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


@dataclass(frozen=True)
class Version:
    """Describe a version of a Workflow: what one update of it said."""

    id: str
    class_name: str
    created_on: str
    settings: dict[str, Any]


class WorkflowsStore(Store):
    """Store the Workflows of all accounts."""

    def __init__(self, database: Database, scripts: ScriptsStore) -> None:
        super().__init__(database)
        self._scripts = scripts

    def put(
        self, account: str, name: str, script: str, class_name: str, settings: dict[str, Any]
    ) -> Workflow:
        """Create a Workflow, or change its class; its instances stay.

        The script need not export the class yet: the acceptance test of Terraform's provider,
        TestAccCloudflareWorkflow, creates Workflows of classes that their scripts never export.

        Args:
            settings: the settings of the new version.

        Raises:
            Refusal: 10002 invalid name, 10007 unknown script, 10201 the class is exported and of
                another kind, such as a Durable Object (our reading).
        """
        if len(name) > _MAX_NAME or not NAME.fullmatch(name):
            raise codes.invalid_workflow(
                f"workflow_name: must match ^{NAME.pattern}$ and have at most {_MAX_NAME} "
                "characters"
            )
        for export in self._scripts.get(account, script).exports:
            if export.name == class_name and export.base not in (None, _BASE):
                raise codes.workflow_class(
                    f"The class '{class_name}' of script '{script}' extends {export.base}, "
                    f"not {_BASE}."
                )
        time, version = now(), hyphened_id()
        with self._database.transaction():
            self._database.run(
                "INSERT INTO workflows VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, name) "
                "DO UPDATE SET script = excluded.script, class = excluded.class, "
                "version_id = excluded.version_id, modified_on = excluded.modified_on",
                *(account, name, hyphened_id(), script, class_name, version, time, time),
            )
            self._database.run(
                "INSERT INTO workflow_versions (workflow, id, class, created_on, settings) "
                "VALUES (?, ?, ?, ?, ?)",
                *(self.get(account, name).id, version, class_name, time, write_json(settings)),
            )
        return self.get(account, name)

    def get(self, account: str, name: str) -> Workflow:
        """Return the Workflow of that name. Refusal: 10200."""
        for row in self._database.select("workflows", account=account, name=name):
            return Workflow(*row)
        raise codes.workflow_not_found()

    def versions(self, workflow: Workflow) -> list[Version]:
        """List a Workflow's versions, the newest first."""
        rows = self._database.select("workflow_versions", "number DESC", workflow=workflow.id)
        return [
            Version(row["id"], row["class"], row["created_on"], json.loads(row["settings"]))
            for row in rows
        ]

    def require_class(self, workflow: Workflow) -> None:
        """Check that an instance can run. Refusal: 10201, the script lacks the class."""
        script = self._scripts.scripts.find(workflow.account, workflow.script)
        if script is None or workflow.class_name not in script.classes():
            raise codes.workflow_class(
                f"Script '{workflow.script}' does not export a class named '{workflow.class_name}'."
            )

    def has_script(self, workflow: Workflow) -> bool:
        """Return whether the Workflow's script still exists."""
        return self._scripts.scripts.find(workflow.account, workflow.script) is not None

    def list_workflows(self, account: str, search: str = "") -> list[Workflow]:
        """List the account's Workflows whose names contain `search`, by name."""
        rows = self._database.select("workflows", "name", account=account)
        return [Workflow(*row) for row in rows if search in row["name"]]

    def list_all(self, account: str | None = None) -> list[Workflow]:
        """List the Workflows of one account or of all."""
        where = {"account": account} if account else {}
        return [
            Workflow(*row) for row in self._database.select("workflows", "account, name", **where)
        ]

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
