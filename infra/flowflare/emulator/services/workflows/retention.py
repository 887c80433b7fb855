"""Delete the instances of Workflows whose retention is over, by the time of their account."""

import logging
from collections.abc import Container, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.workflows.store import Workflow, WorkflowsStore
from flowflare.errors import EmulatorError

_LOG = logging.getLogger("emulator")
DEFAULT: Final = 604_800_000
"""Seven days in milliseconds, for Workflows of the paid plan that were created since 2026-09-10.

Source: developers.cloudflare.com/workflows/reference/limits.
"""
_SETTINGS: Final = {
    "complete": "success_retention",
    "errored": "error_retention",
    "terminated": "error_retention",  # our reading
}


class Retention:
    """Apply the retention of instances, of their Workflow's newest version, or the default."""

    def __init__(self, workflows: WorkflowsStore, runtime: Runtime) -> None:
        self._workflows = workflows
        self._runtime = runtime

    async def apply(
        self, moment: datetime, *, account: str | None = None, skipped: Container[str] = ()
    ) -> None:
        """Delete what is over at a time.

        Args:
            account: the account; None for all but the skipped ones.
        """
        for workflow in self._workflows.list_all(account):
            if account is None and workflow.account in skipped:
                continue
            try:
                await self._apply(workflow, moment)
            except EmulatorError as error:
                _LOG.warning("instances of Workflow %s are kept: %s", workflow.name, error.message)

    async def _apply(self, workflow: Workflow, moment: datetime) -> None:
        if not self._workflows.has_script(workflow):
            return
        defaults = self._workflows.versions(workflow)[0].settings.get("default_retention", {})
        for instance in await self._runtime.instances(workflow.id):
            if _is_over(instance, defaults, moment):
                await self._runtime.change_instance(
                    workflow.account,
                    workflow.script,
                    workflow.id,
                    instance["id"],
                    {"action": "delete"},
                )


def _is_over(instance: Mapping[str, Any], defaults: Mapping[str, int], moment: datetime) -> bool:
    setting = _SETTINGS.get(instance["status"])
    if setting is None or instance["ended_on"] is None:
        return False
    kept = int(instance["retention"].get(setting, defaults.get(setting, DEFAULT)))
    passed = moment - datetime.fromisoformat(instance["ended_on"])
    return passed / timedelta(milliseconds=1) >= kept
