"""Serve versions and deployments."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import account_of, answer_page, json_object, name_of, operation
from flowflare.emulator.runtime.contract import Runtime
from flowflare.emulator.services.scripts import views
from flowflare.emulator.services.scripts.client import client_of
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.scripts.upload import read_upload
from flowflare.emulator.services.scripts.validation import exports_of
from flowflare.emulator.services.versions.deployments import DeploymentsStore

_SCRIPT = "/accounts/{account}/workers/scripts/{script}"


@dataclass(frozen=True)
class VersionRoutes:
    """Serve the operations of a script's `versions` and `deployments`."""

    store: ScriptsStore
    deployments: DeploymentsStore
    runtime: Runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _SCRIPT + "/versions", self._list),
            operation("POST", _SCRIPT + "/versions", self._upload),
            operation("GET", _SCRIPT + "/versions/{version}", self._get),
            operation("GET", _SCRIPT + "/deployments", self._list_deployments),
            operation("POST", _SCRIPT + "/deployments", self._deploy),
            operation("GET", _SCRIPT + "/deployments/{deployment}", self._get_deployment),
        ]

    async def _list(self, request: Request) -> Response:
        live = self.store.get(account_of(request), name_of(request, "script"))
        versions = [self._view(version) for version in self.store.scripts.versions(live)]
        return answer_page(request, versions, per_page=20, listed="items")

    async def _upload(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "script")
        upload = await read_upload(request)
        exports = await exports_of(upload, self.runtime)
        version = self.store.put_version(
            account,
            name,
            upload,
            exports,
            strict=request.query_params.get("bindings_inherit") == "strict",
            deployed_from=client_of(request),
        )
        return success({**self._view(version), "startup_time_ms": 1})

    async def _get(self, request: Request) -> Response:
        version = self.store.version(
            account_of(request), name_of(request, "script"), name_of(request, "version")
        )
        return success(self._view(version))

    async def _list_deployments(self, request: Request) -> Response:
        deployments = self.deployments.list_deployments(
            account_of(request), name_of(request, "script")
        )
        return success({"deployments": deployments})

    async def _get_deployment(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "script")
        return success(self.deployments.get(account, name, name_of(request, "deployment")))

    async def _deploy(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "script")
        deployment = self.deployments.create(
            account, name, await json_object(request), client_of(request)
        )
        await self.runtime.publish(account)
        return success(deployment)

    def _view(self, script: Script) -> dict[str, Any]:
        settings = views.settings(script, self.store.ledger(script.account))
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
                    "compatibility_date": settings["compatibility_date"],
                    "compatibility_flags": settings["compatibility_flags"],
                    "usage_model": settings["usage_model"],
                },
            },
        }
