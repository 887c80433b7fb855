"""Serve Workers and their versions below `workers/workers`."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Service, answer_page, flag, json_object, serves
from flowflare.emulator.runtime.contract import Deletions
from flowflare.emulator.services.scripts.client import client_of
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.scripts.validation import exports_of
from flowflare.emulator.services.workers.settings import read_settings, view_settings
from flowflare.emulator.services.workers.store import WorkersStore
from flowflare.emulator.services.workers.versions import read_version, view_version

_ALL = "/accounts/{account}/workers/workers"
_ONE = _ALL + "/{worker}"
_VERSIONS = _ONE + "/versions"
_ORDERS = ("name", "created_on", "updated_on", "deployed_on")


class WorkerRoutes(Service[WorkersStore]):
    """Serve the operations below `workers/workers`; a Worker is named by its name or ID."""

    @serves("GET", _ALL)
    async def _list(self, request: Request, account: str) -> Response:
        workers = [self._view(worker) for worker in self._store.list_workers(account)]
        key = request.query_params.get("order_by", "name")
        if key in _ORDERS:
            backwards = request.query_params.get("order") == "desc"
            workers.sort(key=lambda worker: worker[key] or "", reverse=backwards)
        return answer_page(request, workers, per_page=10)

    @serves("POST", _ALL)
    async def _create(self, request: Request, account: str) -> Response:
        settings = read_settings(await json_object(request))
        worker = self._store.create(account, settings, client_of(request))
        await self._runtime.publish(account)
        return success(self._view(worker))

    @serves("GET", _ONE)
    async def _get(self, _: Request, account: str, worker: str) -> Response:
        return success(self._view(self._store.get(account, worker)))

    @serves("PUT", _ONE)
    async def _update(self, request: Request, account: str, worker: str) -> Response:
        return await self._change(request, account, worker, keep=False)

    @serves("PATCH", _ONE)
    async def _edit(self, request: Request, account: str, worker: str) -> Response:
        return await self._change(request, account, worker, keep=True)

    @serves("DELETE", _ONE)
    async def _delete(self, _: Request, account: str, worker: str) -> Response:
        name = self._store.get(account, worker).name
        removed = self._store.scripts.delete(account, name, force=False)
        await self._runtime.publish(account, Deletions(namespaces=removed))
        return _without_result()

    @serves("GET", _VERSIONS)
    async def _list_versions(self, request: Request, account: str, worker: str) -> Response:
        versions = self._store.versions(account, worker)
        return answer_page(request, [self._view_version(item) for item in versions], per_page=10)

    @serves("POST", _VERSIONS)
    async def _create_version(self, request: Request, account: str, worker: str) -> Response:
        self._store.get(account, worker)
        upload = read_version(await json_object(request), client_of(request))
        exports = await exports_of(upload, self._runtime)
        deploy = flag(request, "deploy")
        version = self._store.add_version(account, worker, upload, exports, deploy=deploy)
        await self._runtime.publish(account)
        return success(self._view_version(version, with_modules=True))

    @serves("GET", _VERSIONS + "/{version}")
    async def _get_version(
        self, request: Request, account: str, worker: str, version: str
    ) -> Response:
        found = self._store.version(account, worker, version)
        with_modules = request.query_params.get("include") == "modules"
        return success(self._view_version(found, with_modules=with_modules))

    @serves("PATCH", _VERSIONS + "/latest")
    async def _patch_latest(self, request: Request, account: str, worker: str) -> Response:
        patch = await json_object(request)
        version = self._store.patch_latest(account, worker, patch, client_of(request))
        return success(self._view_version(version))

    @serves("DELETE", _VERSIONS + "/{version}")
    async def _delete_version(
        self, _: Request, account: str, worker: str, version: str
    ) -> Response:
        self._store.delete_version(account, worker, version)
        return _without_result()

    async def _change(self, request: Request, account: str, worker: str, *, keep: bool) -> Response:
        settings = read_settings(await json_object(request))
        changed = self._store.change(account, worker, settings, keep=keep)
        await self._runtime.publish(account)
        return success(self._view(changed))

    def _view(self, worker: Script) -> dict[str, Any]:
        return {
            "id": worker.tag,
            "name": worker.name,
            "created_on": worker.created_on,
            "updated_on": worker.modified_on,
            "deployed_on": self._store.deployed_on(worker),
            **view_settings(worker),
            "references": self._store.references(worker),
        }

    def _view_version(self, version: Script, *, with_modules: bool = False) -> dict[str, Any]:
        modules = self._store.scripts.scripts.modules(version) if with_modules else None
        return view_version(version, self._store.scripts.ledger(version.account), modules)


def _without_result() -> Response:
    """Answer a deletion; the SDK's type has no result."""
    return JSONResponse({"success": True, "errors": [], "messages": []})
