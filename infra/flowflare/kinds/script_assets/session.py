"""Uploads files in a session, and returns the token that attaches them to a script.

Source: developers.cloudflare.com/workers/static-assets/direct-upload.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote

from flowflare.api import Client, Part
from flowflare.errors import EngineError
from flowflare.kinds.live_script import script_path
from flowflare.reading.files import read_bytes

#: The content types of files on the web; the same on every machine, unlike those of `mimetypes`.
_TYPES: Final = {
    "avif": "image/avif", "css": "text/css", "csv": "text/csv", "gif": "image/gif",
    "htm": "text/html", "html": "text/html", "ico": "image/x-icon", "jpeg": "image/jpeg",
    "jpg": "image/jpeg", "js": "text/javascript", "json": "application/json",
    "map": "application/json", "md": "text/markdown", "mjs": "text/javascript",
    "mp3": "audio/mpeg", "mp4": "video/mp4", "otf": "font/otf", "pdf": "application/pdf",
    "png": "image/png", "svg": "image/svg+xml", "ttf": "font/ttf", "txt": "text/plain",
    "wasm": "application/wasm", "webm": "video/webm",
    "webmanifest": "application/manifest+json", "webp": "image/webp", "woff": "font/woff",
    "woff2": "font/woff2", "xml": "text/xml", "zip": "application/zip",
}  # fmt: skip
#: Cloudflare then sends no `Content-Type`.
_NO_TYPE: Final = "application/null"


def hash_file(path: str, content: bytes) -> str:
    """Return the hash that names a file's content and type in a session: 32 characters.

    Args:
        path: its path, whose ending decides its type.
    """
    ending = PurePosixPath(path).suffix
    return hashlib.sha256(ending.encode() + b"\0" + content).hexdigest()[:32]


def upload_assets(
    client: Client, account_id: str, script_name: str, folder: Path, manifest: Mapping[str, str]
) -> str:
    """Upload the files that Cloudflare does not have yet.

    Args:
        manifest: the hash of each file by its path in URLs.

    Returns:
        The token that attaches the files to an upload of the script, valid for an hour.

    Raises:
        EngineError: a file has changed since the plan was made.
        ApiError: Cloudflare refused a request.
    """
    paths = {digest: path for path, digest in manifest.items()}
    body = {
        path: {"hash": digest, "size": len(_read(folder, path, digest))}
        for path, digest in manifest.items()
    }
    address = f"{script_path(account_id, script_name)}/assets-upload-session"
    session = client.call("POST", address, body={"manifest": body})
    token = str(session["jwt"])
    for bucket in session.get("buckets") or ():
        answer = client.call(
            "POST",
            f"/accounts/{account_id}/workers/assets/upload",
            query={"base64": "true"},
            parts=[_make_part(folder, paths[digest], digest) for digest in bucket],
            headers={"Authorization": f"Bearer {session['jwt']}"},
        )
        token = str((answer or {}).get("jwt") or token)
    return token


def _make_part(folder: Path, path: str, digest: str) -> Part:
    content = _read(folder, path, digest)
    kind = _TYPES.get(PurePosixPath(path).suffix.removeprefix(".").lower(), _NO_TYPE)
    text = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    return Part(digest, base64.b64encode(content), text, filename=digest)


def _read(folder: Path, path: str, digest: str) -> bytes:
    file = folder.joinpath(*(unquote(segment) for segment in path.split("/")[1:]))
    content = read_bytes(file) if file.is_file() else None
    if content is None or hash_file(path, content) != digest:
        remedy = "Run the command again when nothing writes into the folder."
        raise EngineError(f"{file} has changed since the plan was made", remedy=remedy)
    return content
