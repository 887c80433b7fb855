"""Serve Workflows and their versions."""

from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, answer_page, json_object, serves
from flowflare.emulator.runtime.contract import Deletions
from flowflare.emulator.services.workflows.settings import read_settings
from flowflare.emulator.services.workflows.store import Version, Workflow, WorkflowsStore

_ALL = "/accounts/{account}/workflows"
_ONE = _ALL + "/{name}"
_VERSIONS = _ONE + "/versions"

_STATES = (
    "complete",
    "errored",
    "paused",
    "queued",
    "running",
    "terminated",
    "waiting",
    "waitingForPause",
    "rollingBack",
)


class WorkflowRoutes(Service[WorkflowsStore]):
    """Serve the operations below `workflows`, except those on instances."""

    @serves("GET", _ALL)
    async def _list(self, request: Request, account: str) -> Response:
        search = request.query_params.get("search", "")
        workflows = self._store.list_workflows(account, search)
        return answer_page(request, [await self._view(workflow) for workflow in workflows])

    @serves("PUT", _ONE)
    async def _put(self, request: Request, account: str, name: str) -> Response:
        asked = await json_object(request)
        script, class_name = asked.get("script_name"), asked.get("class_name")
        for key, value in (("script_name", script), ("class_name", class_name)):
            if not isinstance(value, str) or not value:
                raise codes.invalid_workflow(f"{key}: Required")
        settings = read_settings(asked)
        workflow = self._store.put(account, name, str(script), str(class_name), settings)
        await self._runtime.publish(account)
        # Only the answer to a PUT has these.
        updated = {"version_id": workflow.version_id, "is_deleted": 0, "terminator_running": 0}
        return success(await self._view(workflow) | updated)

    @serves("GET", _ONE)
    async def _get(self, _: Request, account: str, name: str) -> Response:
        return success(await self._view(self._store.get(account, name)))

    @serves("DELETE", _ONE)
    async def _delete(self, _: Request, account: str, name: str) -> Response:
        deleted = self._store.delete(account, name)
        await self._runtime.publish(account, Deletions(workflows=(deleted.id,)))
        return success({"status": "ok", "success": True})

    @serves("GET", _VERSIONS)
    async def _list_versions(self, request: Request, account: str, name: str) -> Response:
        workflow = self._store.get(account, name)
        versions = self._store.versions(workflow)
        return answer_page(request, [_view_version(workflow, version) for version in versions])

    @serves("GET", _VERSIONS + "/{version}")
    async def _get_version(self, _: Request, account: str, name: str, version: str) -> Response:
        workflow = self._store.get(account, name)
        for found in self._store.versions(workflow):
            if found.id == version:
                return success(_view_version(workflow, found))
        raise codes.workflow_version_not_found()

    async def _view(self, workflow: Workflow) -> dict[str, Any]:
        instances = await self._runtime.instances(workflow.id)
        counts = Counter(str(instance["status"]) for instance in instances)
        return {
            "id": workflow.id,
            "name": workflow.name,
            "script_name": workflow.script,
            "class_name": workflow.class_name,
            "created_on": workflow.created_on,
            "modified_on": workflow.modified_on,
            "triggered_on": instances[0]["created_on"] if instances else None,
            "instances": {state: counts[state] for state in _STATES},
            **({} if self._store.has_script(workflow) else {"script_deleted": True}),
        }


def _view_version(workflow: Workflow, version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "class_name": version.class_name,
        "created_on": version.created_on,
        "modified_on": version.created_on,
        "workflow_id": workflow.id,
        "has_dag": False,
        "language": "javascript",
        **version.settings,
    }
