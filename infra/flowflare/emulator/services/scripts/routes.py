"""Serve Workers scripts and the services of the same names."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.json_text import NotJsonError, parse_json
from flowflare.emulator.requests import account_of, flag, json_object, name_of, operation
from flowflare.emulator.runtime.contract import Deletions, Runtime
from flowflare.emulator.services.scripts import views
from flowflare.emulator.services.scripts.client import client_of
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.scripts.upload import read_upload, validate_metadata
from flowflare.emulator.services.scripts.validation import exports_of, refuse_name

_SCRIPTS = "/accounts/{account}/workers/scripts"
_SCRIPT = _SCRIPTS + "/{script}"


class ScriptRoutes:
    """Serve the operations below `workers/scripts` and `workers/services`."""

    def __init__(self, store: ScriptsStore, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime

    def routes(self) -> list[BaseRoute]:
        """List the operations of this service."""
        return [
            operation("GET", _SCRIPTS, self._list),
            operation("PUT", _SCRIPT, self._put),
            operation("GET", _SCRIPT, self._download),
            operation("DELETE", _SCRIPT, self._delete),
            operation("GET", _SCRIPT + "/content/v2", self._content),
            operation("GET", _SCRIPT + "/settings", self._settings),
            operation("PATCH", _SCRIPT + "/settings", self._change_settings),
            operation("GET", _SCRIPT + "/script-settings", self._script_settings),
            operation("PATCH", _SCRIPT + "/script-settings", self._change_script_settings),
            operation("GET", _SCRIPT + "/references", self._references),
            operation("GET", "/accounts/{account}/workers/services/{script}", self._service),
            operation("DELETE", "/accounts/{account}/workers/services/{script}", self._delete),
            operation("GET", "/accounts/{account}/workers/workers/{script}", self._worker),
            operation("GET", "/accounts/{account}/workers/tails/by-consumer/{script}", self._tails),
        ]

    async def _list(self, request: Request) -> Response:
        scripts = self._store.scripts.list_scripts(account_of(request))
        return success([views.view_in_list(script) for script in scripts])

    async def _put(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "script")
        refuse_name(name)
        upload = await read_upload(request)
        exports = await exports_of(upload, self._runtime)
        script, removed = self._store.put(
            account,
            name,
            upload,
            exports,
            strict=request.query_params.get("bindings_inherit") == "strict",
            deployed_from=client_of(request),
        )
        await self._runtime.publish(account, Deletions(namespaces=removed))
        return success(views.view_upload(script))

    async def _download(self, request: Request) -> Response:
        return self._multipart(account_of(request), name_of(request, "script"))

    async def _content(self, request: Request) -> Response:
        return self._multipart(account_of(request), name_of(request, "script"))

    async def _delete(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "script")
        removed = self._store.delete(account, name, force=flag(request, "force"))
        await self._runtime.publish(account, Deletions(namespaces=removed))
        return success(None)

    async def _settings(self, request: Request) -> Response:
        account = account_of(request)
        script = self._store.get(account, name_of(request, "script"))
        return success(views.settings(script, self._store.ledger(account)))

    async def _change_settings(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "script")
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise codes.content_type("Content-Type must be 'multipart/form-data'.")
        part = (await request.form()).get("settings")
        text = part if isinstance(part, str) or part is None else await part.read()
        script = self._store.change_settings(account, name, _settings(text or ""))
        await self._runtime.publish(account)
        return success(views.settings(script, self._store.ledger(account)))

    async def _script_settings(self, request: Request) -> Response:
        script = self._store.get(account_of(request), name_of(request, "script"))
        return success(_script_settings(script.metadata))

    async def _change_script_settings(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "script")
        asked = await json_object(request)
        known = {key: value for key, value in asked.items() if key in _SCRIPT_SETTINGS}
        script = self._store.change_settings(account, name, known)
        return success(_script_settings(script.metadata))

    async def _references(self, request: Request) -> Response:
        account, name = account_of(request), name_of(request, "script")
        script = self._store.get(account, name)
        found = self._store.references(account, name)
        return success(views.view_references(script, found, self._store.ledger(account)))

    async def _service(self, request: Request) -> Response:
        script = self._store.scripts.find(account_of(request), name_of(request, "script"))
        if script is None:
            raise codes.service_not_found()
        return success(views.view_service(script))

    async def _worker(self, request: Request) -> Response:
        script = self._store.get(account_of(request), name_of(request, "script"))
        return success(views.view_worker(script))

    async def _tails(self, request: Request) -> Response:
        self._store.get(account_of(request), name_of(request, "script"))
        return success([])

    def _multipart(self, account: str, name: str) -> Response:
        script = self._store.get(account, name)
        body, content_type = views.render_content(script, self._store.scripts.modules(script))
        return Response(body, media_type=content_type)


def _settings(text: bytes | str) -> dict[str, Any]:
    """Read the part `settings` into the shape of an upload's metadata.

    Raises:
        Refusal: 10026, it is not a JSON object, or one of its members has the wrong type.
    """
    try:
        settings = parse_json(text)
    except NotJsonError as error:
        raise codes.unparsable(f"The part 'settings' is not valid JSON: {error}.") from None
    if not isinstance(settings, dict):
        raise codes.unparsable("The part 'settings' is not a JSON object.")
    known = {key: value for key, value in settings.items() if value is not None}
    validate_metadata(known, part="settings")
    return known


_SCRIPT_SETTINGS = ("logpush", "observability", "tags", "tail_consumers")


def _script_settings(metadata: Any) -> dict[str, Any]:
    return {
        "logpush": bool(metadata.get("logpush")),
        "observability": metadata.get("observability") or {"enabled": False},
        "tags": metadata.get("tags") or [],
        "tail_consumers": metadata.get("tail_consumers") or [],
    }
