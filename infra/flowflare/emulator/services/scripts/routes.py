"""Serve Workers scripts and the services of the same names."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.json_text import NotJsonError, parse_json
from flowflare.emulator.requests import Service, flag, json_object, serves
from flowflare.emulator.runtime.contract import Deletions
from flowflare.emulator.services.scripts import views
from flowflare.emulator.services.scripts.script import SCRIPT_SETTINGS, Script
from flowflare.emulator.services.scripts.store import ScriptsStore
from flowflare.emulator.services.scripts.upload import read_upload, validate_metadata
from flowflare.emulator.services.scripts.validation import exports_of, refuse_name

_SCRIPTS = "/accounts/{account}/workers/scripts"
_SCRIPT = _SCRIPTS + "/{name}"


class ScriptRoutes(Service[ScriptsStore]):
    """Serve the operations below `workers/scripts` and `workers/services`."""

    @serves("GET", _SCRIPTS)
    async def _list(self, _: Request, account: str) -> Response:
        scripts = self._store.scripts.list_scripts(account)
        return success([views.view_in_list(script) for script in scripts])

    @serves("PUT", _SCRIPT)
    async def _put(self, request: Request, account: str, name: str) -> Response:
        refuse_name(name)
        upload = await read_upload(request)
        exports = await exports_of(upload, self._runtime)
        script, removed = self._store.put(account, name, upload, exports)
        await self._runtime.publish(account, Deletions(namespaces=removed))
        return success(views.view_upload(script))

    @serves("GET", _SCRIPT)
    async def _download(self, _: Request, account: str, name: str) -> Response:
        return self._content(self._store.get(account, name))

    @serves("GET", _SCRIPT + "/content/v2")
    async def _download_version(self, request: Request, account: str, name: str) -> Response:
        """Return the code of the live version, or of the version that `version` names.

        `wrangler versions secret put` of wrangler 3 reads both the parameter and the header.
        """
        identity = request.query_params.get("version")
        if identity is None:
            return self._content(self._store.get(account, name))
        return self._content(self._store.version(account, name, identity))

    @serves("DELETE", _SCRIPT)
    @serves("DELETE", "/accounts/{account}/workers/services/{name}")
    async def _delete(self, request: Request, account: str, name: str) -> Response:
        removed = self._store.delete(account, name, force=flag(request, "force"))
        await self._runtime.publish(account, Deletions(namespaces=removed))
        return success(None)

    @serves("GET", _SCRIPT + "/settings")
    async def _settings(self, _: Request, account: str, name: str) -> Response:
        script = self._store.get(account, name)
        return success(views.settings(script, self._store.ledger(account)))

    @serves("PATCH", _SCRIPT + "/settings")
    async def _change_settings(self, request: Request, account: str, name: str) -> Response:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise codes.content_type("Content-Type must be 'multipart/form-data'.")
        part = (await request.form()).get("settings")
        text = part if isinstance(part, str) or part is None else await part.read()
        script = self._store.change_settings(account, name, _settings(text or ""))
        await self._runtime.publish(account)
        return success(views.settings(script, self._store.ledger(account)))

    @serves("GET", _SCRIPT + "/script-settings")
    async def _script_settings(self, _: Request, account: str, name: str) -> Response:
        return success(views.view_script_settings(self._store.get(account, name).metadata))

    @serves("PATCH", _SCRIPT + "/script-settings")
    async def _change_script_settings(self, request: Request, account: str, name: str) -> Response:
        asked = await json_object(request)
        known = {key: value for key, value in asked.items() if key in SCRIPT_SETTINGS}
        script = self._store.change_script_settings(account, name, known)
        return success(views.view_script_settings(script.metadata))

    @serves("GET", _SCRIPT + "/references")
    async def _references(self, _: Request, account: str, name: str) -> Response:
        script = self._store.get(account, name)
        found = self._store.references(account, name)
        return success(views.view_references(script, found, self._store.ledger(account)))

    @serves("GET", "/accounts/{account}/workers/services/{name}")
    async def _service(self, _: Request, account: str, name: str) -> Response:
        script = self._store.scripts.find(account, name)
        if script is None:
            raise codes.service_not_found()
        return success(views.view_service(script))

    @serves("GET", "/accounts/{account}/workers/tails/by-consumer/{name}")
    async def _tails(self, _: Request, account: str, name: str) -> Response:
        self._store.get(account, name)
        return success([])

    def _content(self, script: Script) -> Response:
        body, content_type = views.render_content(script, self._store.scripts.modules(script))
        headers = {} if script.service_worker else {"cf-entrypoint": script.main}
        return Response(body, media_type=content_type, headers=headers)


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
    validated = validate_metadata(known, part="settings")
    if "compatibility_date" in known:
        known["compatibility_date"] = validated.compatibility_date
        known["implied"] = validated.settings()["implied"]
    return known
