"""Serve versions and deployments."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, answer_page, json_object, serves
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.scripts import views
from flowflare.emulator.services.scripts.client import client_of
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.scripts.upload import read_upload
from flowflare.emulator.services.scripts.validation import exports_of
from flowflare.emulator.services.versions.deployments import DeploymentsStore

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"


class VersionRoutes(Service[ScriptsStore]):
    """Serve the operations of a script's `versions` and `deployments`."""

    def __init__(
        self, store: ScriptsStore, deployments: DeploymentsStore, runtime: Runtime
    ) -> None:
        super().__init__(store, runtime)
        self._deployments_store = deployments

    @serves("GET", _SCRIPT + "/versions")
    async def _list(self, request: Request, account: str, script: str) -> Response:
        live = self._store.get(account, script)
        versions = [self._view(version) for version in self._store.scripts.versions(live)]
        return answer_page(request, versions, per_page=20, listed="items")

    @serves("POST", _SCRIPT + "/versions")
    async def _upload(self, request: Request, account: str, script: str) -> Response:
        upload = await read_upload(request)
        exports = await exports_of(upload, self._runtime)
        version = self._store.put_version(account, script, upload, exports)
        return success({**self._view(version), "startup_time_ms": 1})

    @serves("GET", _SCRIPT + "/versions/{version}")
    async def _get(self, _: Request, account: str, script: str, version: str) -> Response:
        return success(self._view(self._store.version(account, script, version)))

    @serves("GET", _SCRIPT + "/deployments")
    async def _list_deployments(self, _: Request, account: str, script: str) -> Response:
        deployments = self._deployments_store.list_deployments(account, script)
        return success({"deployments": deployments})

    @serves("GET", _SCRIPT + "/deployments/{deployment}")
    async def _get_deployment(
        self, _: Request, account: str, script: str, deployment: str
    ) -> Response:
        return success(self._deployments_store.get(account, script, deployment))

    @serves("POST", _SCRIPT + "/deployments")
    async def _deploy(self, request: Request, account: str, script: str) -> Response:
        deployment = self._deployments_store.create(
            account, script, await json_object(request), client_of(request)
        )
        await self._runtime.publish(account)
        return success(deployment)

    def _view(self, script: Script) -> dict[str, Any]:
        settings = views.settings(script, self._store.ledger(script.account))
        return {
            "id": script.version_id,
            "number": script.number,
            "metadata": {
                "created_on": script.modified_on,
                "modified_on": script.modified_on,
                "source": script.deployed_from,
                "author_id": "",
                "author_email": "user@example.com",
                "hasPreview": False,
            },
            "annotations": script.metadata.get("annotations") or {},
            "resources": {
                "bindings": settings["bindings"],
                "script": {
                    "etag": script.etag,
                    "handlers": script.handlers,
                    "named_handlers": script.named_handlers,
                    "last_deployed_from": script.deployed_from,
                },
                "script_runtime": {
                    key: settings[key]
                    for key in ("compatibility_date", "compatibility_flags", "usage_model")
                    if key in settings
                },
            },
        }
