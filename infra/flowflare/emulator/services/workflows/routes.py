"""Serve Workflows."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, answer_page, json_object, serves
from flowflare.emulator.runtime.contract import Deletions
from flowflare.emulator.services.workflows.store import Workflow, WorkflowsStore

_ALL = "/accounts/{account}/workflows"
_ONE = _ALL + "/{name}"

_STATES = (
    "complete",
    "errored",
    "paused",
    "queued",
    "running",
    "terminated",
    "waiting",
    "waitingForPause",
)


class WorkflowRoutes(Service[WorkflowsStore]):
    """Serve the operations below `workflows`."""

    @serves("GET", _ALL)
    async def _list(self, request: Request, account: str) -> Response:
        workflows = [_view(workflow) for workflow in self._store.list_workflows(account)]
        return answer_page(request, workflows)

    @serves("PUT", _ONE)
    async def _put(self, request: Request, account: str, name: str) -> Response:
        asked = await json_object(request)
        script, class_name = asked.get("script_name"), asked.get("class_name")
        if not isinstance(script, str) or not isinstance(class_name, str):
            raise codes.invalid_body("A Workflow needs `script_name` and `class_name`.")
        workflow = self._store.put(account, name, script, class_name)
        await self._runtime.publish(account)
        return success(_view(workflow))

    @serves("GET", _ONE)
    async def _get(self, _: Request, account: str, name: str) -> Response:
        return success(_view(self._store.get(account, name)))

    @serves("DELETE", _ONE)
    async def _delete(self, _: Request, account: str, name: str) -> Response:
        deleted = self._store.delete(account, name)
        await self._runtime.publish(account, Deletions(workflows=(deleted.id,)))
        return success({"status": "ok", "success": True})


def _view(workflow: Workflow) -> dict[str, Any]:
    return {
        "id": workflow.id,
        "name": workflow.name,
        "script_name": workflow.script,
        "class_name": workflow.class_name,
        "version_id": workflow.version_id,
        "created_on": workflow.created_on,
        "modified_on": workflow.modified_on,
        "triggered_on": None,
        "is_deleted": 0,
        "terminator_running": 0,
        "instances": dict.fromkeys(_STATES, 0),
    }
