"""Serve the instances of Workflows: list, show, start, change and delete them, and send events."""

import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.clock import hyphened_id, now
from flowflare.emulator.envelope import Refusal, success
from flowflare.emulator.json_text import NotJsonError, parse_json
from flowflare.emulator.requests import (
    Service,
    json_body,
    json_object,
    number,
    refuse_if_deleted,
    serves,
)
from flowflare.emulator.services.workflows import instance_views as views
from flowflare.emulator.services.workflows.listing import answer_list
from flowflare.emulator.services.workflows.settings import read_retention
from flowflare.emulator.services.workflows.store import NAME, Workflow, WorkflowsStore

_ALL = "/accounts/{account}/workflows/{name}/instances"
_ONE = _ALL + "/{identity}"
_MAX_ID = 100
_MAX_PARAMS = 1024 * 1024
_MAX_BATCH = 100
_RESERVED = re.compile(r"batch|terminate|terminateAll|cf_[0-9a-f]{64}")
_HINTS = ["wnam", "enam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "sam", "afr", "me"]
_ENDED = {"complete", "errored", "terminated"}


class InstanceRoutes(Service[WorkflowsStore]):
    """Serve the operations below `instances`."""

    @serves("GET", _ALL)
    @serves("GET", _ALL + "/")  # as wrangler asks for the latest instance
    async def _list(self, request: Request, account: str, name: str) -> Response:
        workflow = self._store.get(account, name)
        versions = self._store.versions(workflow)
        instances = await self._runtime.instances(workflow.id)
        shown = [views.view_listed(instance, workflow, versions) for instance in instances]
        return answer_list(request, shown)

    @serves("POST", _ALL)
    async def _create(self, request: Request, account: str, name: str) -> Response:
        workflow = self._store.get(account, name)
        given = _read_new(await json_object(request))
        self._store.require_class(workflow)
        if (await self._runtime.instance(workflow.id, given["id"]))["instance"]:
            raise codes.instance_exists()
        return success(await self._start(workflow, given))

    @serves("POST", _ALL + "/batch")
    async def _create_batch(self, request: Request, account: str, name: str) -> Response:
        """Start instances. Those whose IDs exist are skipped, as `createBatch` does (our reading).

        Raises:
            Refusal: 10002 it is not a list of 1 to 100 instances, 10415 it names an ID twice.
        """
        workflow = self._store.get(account, name)
        body = await json_body(request)
        if not isinstance(body, list) or not 0 < len(body) <= _MAX_BATCH:
            raise codes.invalid_workflow(f"body: Expected array of 1 to {_MAX_BATCH} instances")
        given = [_read_new(each) for each in body]
        if len({each["id"] for each in given}) < len(given):
            raise codes.instance_in_batch_twice()
        self._store.require_class(workflow)
        existing = {each["id"] for each in await self._runtime.instances(workflow.id)}
        new = [each for each in given if each["id"] not in existing]
        return success([await self._start(workflow, each) for each in new])

    @serves("POST", _ALL + "/batch/delete")
    async def _delete_batch(self, request: Request, account: str, name: str) -> Response:
        workflow = self._store.get(account, name)
        identities = (await json_object(request)).get("instances")
        if (
            not isinstance(identities, list)
            or not 0 < len(identities) <= _MAX_BATCH
            or not all(isinstance(each, str) for each in identities)
        ):
            raise codes.invalid_workflow(f"instances: Expected array of 1 to {_MAX_BATCH} strings")
        deleted, errors = set(), {}
        for identity in dict.fromkeys(identities):
            try:
                await self._change(workflow, identity, {"action": "delete"})
                deleted.add(identity)
            except Refusal as refusal:
                problem = refusal.problems[0]
                errors[identity] = {"code": problem.code, "message": problem.message}
        result = {
            "deleted": [{"id": each} for each in identities if each in deleted],
            "errors": [{"id": each, **errors[each]} for each in identities if each in errors],
        }
        return success(result)

    @serves("PUT", _ALL + "/terminate")
    async def _terminate_all(self, request: Request, account: str, name: str) -> Response:
        """Terminate the instances that have not ended, at once. Cloudflare starts a job."""
        workflow = self._store.get(account, name)
        status = request.query_params.get("status")
        for instance in await self._runtime.instances(workflow.id):
            if instance["status"] not in _ENDED and status in (None, instance["status"]):
                change = {"action": "terminate", "rollback": False}
                await self._change(workflow, instance["id"], change)
        return success({"status": "ok"})

    @serves("GET", _ONE)
    async def _get(self, request: Request, account: str, name: str, identity: str) -> Response:
        workflow = self._store.get(account, name)
        found = await self._find(workflow, identity)
        query = request.query_params
        view = views.view_details(
            found["instance"],
            found["log"],
            self._store.versions(workflow),
            order=query.get("order", "asc"),
            simple=query.get("simple") == "true",
        )
        return success(view)

    @serves("DELETE", _ONE)
    async def _delete(self, _: Request, account: str, name: str, identity: str) -> Response:
        await self._change(self._store.get(account, name), identity, {"action": "delete"})
        return success({"status": "ok", "success": True})

    @serves("GET", _ONE + "/step")
    async def _get_step(self, request: Request, account: str, name: str, identity: str) -> Response:
        found = await self._find(self._store.get(account, name), identity)
        query = request.query_params
        step, kind = query.get("name"), query.get("type")
        if not step or kind not in ("step", "waitForEvent"):
            raise codes.invalid_workflow("name, type: Required, and type is step or waitForEvent")
        attempt = number(request, "attempt", 0) or None
        view = views.view_step(found["log"], step, kind, attempt)
        if view is None:
            raise codes.instance_not_found()
        return success(view)

    @serves("PATCH", _ONE + "/status")
    async def _set_status(
        self, request: Request, account: str, name: str, identity: str
    ) -> Response:
        workflow = self._store.get(account, name)
        await self._change(workflow, identity, _read_change(await json_object(request)))
        instance = (await self._find(workflow, identity))["instance"]
        return success({"status": instance["status"], "timestamp": now()})

    @serves("POST", _ONE + "/events/{kind}")
    async def _send_event(
        self, request: Request, account: str, name: str, identity: str, kind: str
    ) -> Response:
        workflow = self._store.get(account, name)
        if len(kind) > _MAX_ID or not NAME.fullmatch(kind):
            raise codes.invalid_workflow(f"event_type: must match ^{NAME.pattern}$")
        payload = await json_body(request) if await request.body() else {}
        change = {"action": "event", "type": kind, "payload": payload}
        await self._change(workflow, identity, change)
        return success({"instanceId": identity, "timestamp": now()})

    async def _find(self, workflow: Workflow, identity: str) -> dict[str, Any]:
        found = await self._runtime.instance(workflow.id, identity)
        if found["instance"] is None:
            raise codes.instance_not_found()
        return found

    async def _start(self, workflow: Workflow, given: Mapping[str, Any]) -> dict[str, Any]:
        versions = self._store.versions(workflow)
        with self._while_exists(workflow):
            await self._runtime.create_instance(
                workflow.account,
                workflow.script,
                workflow.id,
                {**given, "version_id": workflow.version_id},
            )
        instance = (await self._find(workflow, given["id"]))["instance"]
        return views.view_created(instance, workflow, versions)

    async def _change(self, workflow: Workflow, identity: str, change: dict[str, Any]) -> None:
        """Change an instance. Refusal: 10400, 10201, or 10001 its state does not allow that."""
        found = await self._find(workflow, identity)
        self._store.require_class(workflow)
        if change["action"] == "terminate" and found["instance"]["status"] in _ENDED:
            raise codes.instance_refused("instance.cannot_terminate")
        if change.get("from") and not views.has_step(found["log"], change["from"]):
            raise codes.instance_refused("instance.cannot_restart")
        with self._while_exists(workflow):
            await self._runtime.change_instance(
                workflow.account, workflow.script, workflow.id, identity, change
            )

    def _while_exists(self, workflow: Workflow) -> AbstractContextManager[None]:
        """Refuse with 10200 if the Workflow is deleted while the block uses it."""

        def find() -> None:
            # Another Workflow may have its name by now.
            if self._store.get(workflow.account, workflow.name).id != workflow.id:
                raise codes.workflow_not_found()

        return refuse_if_deleted(find)


def _read_new(asked: Any) -> dict[str, Any]:
    """Read a new instance: its ID, which may be given, and its parameters.

    Limits and reserved IDs are those of Miniflare's Workflows. `params` is JSON text, as the SDKs
    send it, or any other JSON value, as wrangler sends it.

    Raises:
        Refusal: 10002, a property is invalid.
    """
    if not isinstance(asked, dict):
        raise codes.invalid_workflow("body: Expected object")
    identity = _read_id(asked)
    hint = asked.get("location_hint")
    if hint is not None and hint not in _HINTS:
        raise codes.invalid_workflow(f"location_hint: Invalid enum value: '{hint}'")
    given = asked.get("instance_retention")
    retention = {} if given is None else read_retention(given, "instance_retention")
    params = asked.get("params", {})
    if isinstance(params, str):
        try:
            params = parse_json(params)
        except NotJsonError as error:
            raise codes.invalid_workflow(f"params: is not JSON: {error}") from None
    if len(json.dumps(params)) > _MAX_PARAMS:
        raise codes.invalid_workflow("params: has more than 1 MiB")
    return {"id": identity, "params": {} if params is None else params, "retention": retention}


def _read_id(asked: dict[str, Any]) -> str:
    identity = asked.get("instance_id")
    if identity is None:
        identity = hyphened_id()
    if (
        not isinstance(identity, str)
        or len(identity) > _MAX_ID
        or not NAME.fullmatch(identity)
        or _RESERVED.fullmatch(identity)
    ):
        raise codes.invalid_workflow(
            f"instance_id: must match ^{NAME.pattern}$, have at most {_MAX_ID} characters and not "
            "be reserved"
        )
    return identity


def _read_change(asked: dict[str, Any]) -> dict[str, Any]:
    """Read a change of an instance's status. Refusal: 10002."""
    match asked.get("status"):
        case "pause" | "resume" as action:
            return {"action": action}
        case "terminate":
            return {"action": "terminate", "rollback": asked.get("rollback") is True}
        case "restart":
            start = asked.get("from")
            if start is not None and not (
                isinstance(start, dict)
                and isinstance(start.get("name"), str)
                and isinstance(start.get("count", 1), int)
                and start.get("type", "do") in list(views.STARTS)
            ):
                raise codes.invalid_workflow("from: Expected object with name, count and type")
            return {"action": "restart", "from": start}
        case other:
            raise codes.invalid_workflow(f"status: Invalid enum value: '{other}'")
