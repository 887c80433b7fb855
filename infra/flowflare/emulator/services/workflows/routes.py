"""Serve Workflows."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, answer_page, json_object, name_of, operation
from flowflare.emulator.runtime.contract import Deletions, Runtime
from flowflare.emulator.services.workflows.store import Workflow, WorkflowsStore

_ALL = "/accounts/{account}/workflows"
_ONE = _ALL + "/{workflow}"

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


class WorkflowRoutes:
    """Serve the operations below `workflows`."""

    def __init__(self, store: WorkflowsStore, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _ALL, self._list),
            operation("PUT", _ONE, self._put),
            operation("GET", _ONE, self._get),
            operation("DELETE", _ONE, self._delete),
        ]

    async def _list(self, request: Request) -> Response:
        workflows = [
            _view(workflow) for workflow in self._store.list_workflows(account_of(request))
        ]
        return answer_page(request, workflows)

    async def _put(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "workflow")
        asked = await json_object(request)
        script, class_name = asked.get("script_name"), asked.get("class_name")
        if not isinstance(script, str) or not isinstance(class_name, str):
            raise codes.invalid_body("A Workflow needs `script_name` and `class_name`.")
        workflow = self._store.put(account, name, script, class_name)
        await self._runtime.publish(account)
        return success(_view(workflow))

    async def _get(self, request: Request) -> Response:
        return success(_view(self._store.get(account_of(request), name_of(request, "workflow"))))

    async def _delete(self, request: Request) -> Response:
        account = account_of(request)
        deleted = self._store.delete(account, name_of(request, "workflow"))
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
