"""Serve the session that uploads a script's static assets."""

import base64

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from flowflare.emulator import codes
from flowflare.emulator.envelope import success
from flowflare.emulator.requests import Routes, flag, json_object, serves
from flowflare.emulator.services.assets.store import AssetsStore

_ACCOUNT = "/accounts/{account}/workers"
_PART_LIMIT = 64 * 1024 * 1024


class AssetRoutes(Routes):
    """Serve the operations that upload static assets."""

    def __init__(self, store: AssetsStore) -> None:
        self._store = store

    @serves("POST", _ACCOUNT + "/scripts/{script}/assets-upload-session")
    async def _begin(self, request: Request, account: str) -> Response:
        token, buckets = self._store.begin(account, (await json_object(request)).get("manifest"))
        return success({"jwt": token, "buckets": buckets})

    @serves("POST", _ACCOUNT + "/assets/upload")
    async def _upload(self, request: Request, account: str) -> Response:
        del account  # checked only: a session belongs to one
        if not flag(request, "base64"):
            raise codes.invalid_body("The query must have `base64=true`.")
        form = await request.form(max_files=1000, max_fields=1000, max_part_size=_PART_LIMIT)
        # The SDK sends fields instead of files.
        files = [
            (name, part.content_type or "", _decode(await part.read()))
            if isinstance(part, UploadFile)
            else (name, "", _decode(part))
            for name, part in form.multi_items()
        ]
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        completion = self._store.upload(token, files)
        status = 202 if completion is None else 201
        return success({} if completion is None else {"jwt": completion}, status=status)


def _decode(content: bytes | str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:  # not ASCII, or not base64
        raise codes.invalid_body("A file is not base64.") from None
