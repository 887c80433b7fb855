"""Hold the rules of static assets: sessions that upload a manifest's files, and their tokens.

Source: developers.cloudflare.com/workers/static-assets/direct-upload. A session's token admits its
uploads. When every file of the manifest is stored, a completion token attaches the manifest to an
upload of a script. Both are valid for an hour.
"""

import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from flowflare.emulator import codes
from flowflare.emulator.database import Database
from flowflare.emulator.json_text import parse_json, write_json
from flowflare.emulator.services.scripts.script import Script
from flowflare.emulator.services.scripts.upload import Metadata

#: Hash and size of each file by its URL path, whose segments are percent-encoded.
Manifest = Mapping[str, Mapping[str, Any]]

_LIFETIME = 3600
_MAX_SIZE = 25 * 1024 * 1024
_MAX_FILES = 100_000
_BUCKET_SIZE, _BUCKET_FILES = 40 * 1024 * 1024, 500


class AssetsStore:
    """Store the files of all accounts, and the running sessions.

    Args:
        database: the emulator's file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, account: str, manifest: Any) -> tuple[str, list[list[str]]]:
        """Begin a session.

        Returns:
            Its token, and the hashes of the missing files, in buckets to upload together. Without
            missing files, the token is the completion token.

        Raises:
            Refusal: 10001, the manifest is invalid.
        """
        _check_manifest(manifest)
        sizes = {file["hash"]: int(file["size"]) for file in manifest.values()}
        missing = [name for name in sizes if not self._has(account, name)]
        token = self._issue(account, manifest, is_complete=not missing)
        return token, _fill_buckets(missing, sizes)

    def upload(self, token: str, files: Sequence[tuple[str, str, bytes]]) -> str | None:
        """Store files of a session.

        Args:
            files: the hash, the content type and the content of each.

        Returns:
            The completion token if no file is missing.

        Raises:
            Refusal: 10000 unknown token, 10001 a file that the manifest does not have.
        """
        account, manifest = self._open(token)
        sizes = {file["hash"]: int(file["size"]) for file in manifest.values()}
        with self._database.transaction():
            for name, content_type, content in files:
                if sizes.get(name) != len(content):
                    raise codes.invalid_body(f"The manifest has no file {name} of this size.")
                self._database.run(
                    "INSERT OR REPLACE INTO assets VALUES (?, ?, ?, ?)",
                    *(account, name, content_type, content),
                )
        if all(self._has(account, name) for name in sizes):
            return self._issue(account, manifest, is_complete=True)
        return None

    def attach(self, account: str, metadata: Metadata, live: Script | None) -> dict[str, Any]:
        """Return the static assets of a new version as they are stored with it.

        Args:
            metadata: the upload's metadata: it names uploaded files, keeps the live files, or has
                none.
            live: the live version.

        Raises:
            Refusal: 10021, the token is unknown, expired or incomplete.
        """
        before = (live.metadata.get("assets") if live else None) or {}
        if metadata.assets and metadata.assets.jwt:
            manifest = self._find_manifest(account, metadata.assets.jwt)
        elif metadata.keep_assets and before:
            manifest = before["manifest"]
        else:
            return {}
        config = metadata.asset_config()
        config = before.get("config", {}) if config is None else config
        return {"assets": {"manifest": dict(manifest), "config": config}}

    def _find_manifest(self, account: str, token: str) -> Manifest:
        row = self._database.row(
            "SELECT * FROM asset_sessions WHERE token = ? AND account = ? AND is_complete",
            *(token, account),
        )
        if row is None or row["expires"] < time.time():
            raise codes.invalid_script("assets.jwt is not a valid completion token.")
        manifest: Manifest = parse_json(row["manifest"])
        return manifest

    def _open(self, token: str) -> tuple[str, Manifest]:
        row = self._database.row("SELECT * FROM asset_sessions WHERE token = ?", token)
        if row is None or row["expires"] < time.time():
            raise codes.authentication()
        return row["account"], parse_json(row["manifest"])

    def _has(self, account: str, name: str) -> bool:
        sql = "SELECT 1 FROM assets WHERE account = ? AND hash = ?"
        return self._database.row(sql, account, name) is not None

    def _issue(self, account: str, manifest: Manifest, *, is_complete: bool) -> str:
        """Issue a token in the form of a JWT, whose expiry wrangler reads."""
        now = int(time.time())
        self._database.run("DELETE FROM asset_sessions WHERE expires < ?", now)
        parts = [{"alg": "HS256", "typ": "JWT"}, {"exp": now + _LIFETIME}]
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
        token = ".".join([*(text.rstrip("=") for text in encoded), secrets.token_urlsafe(32)])
        self._database.run(
            "INSERT INTO asset_sessions VALUES (?, ?, ?, ?, ?)",
            *(token, account, write_json(dict(manifest)), is_complete, now + _LIFETIME),
        )
        return token


def _check_manifest(manifest: Any) -> None:
    if not isinstance(manifest, dict) or len(manifest) > _MAX_FILES:
        raise codes.invalid_body("`manifest` must be a mapping of at most 100000 files.")
    for path, file in manifest.items():
        if not _is_path(path):
            raise codes.invalid_body(f"manifest: {path!r} is not a path.")
        name, size = (file.get("hash"), file.get("size")) if isinstance(file, dict) else (0, 0)
        if not isinstance(name, str) or len(name) != 32 or not name.isalnum():
            raise codes.invalid_body(f"manifest: the hash of {path} must have 32 characters.")
        if not isinstance(size, int) or not 0 <= size <= _MAX_SIZE:
            raise codes.invalid_body(f"manifest: the size of {path} must be at most 25 MiB.")
    for path in manifest:
        parents = path.split("/")[1:-1]
        if any("/" + "/".join(parents[: end + 1]) in manifest for end in range(len(parents))):
            raise codes.invalid_body(f"manifest: a part of {path} is a file too.")


def _is_path(path: str) -> bool:
    """Return whether it begins with a slash and names a file below a folder."""
    segments = [unquote(segment) for segment in path.split("/")[1:]]
    return path.startswith("/") and all(
        segment not in ("", ".", "..") and "/" not in segment and "\0" not in segment
        for segment in segments
    )


def _fill_buckets(names: Sequence[str], sizes: Mapping[str, int]) -> list[list[str]]:
    buckets: list[list[str]] = []
    room = 0
    for name in names:
        if not buckets or sizes[name] > room or len(buckets[-1]) == _BUCKET_FILES:
            buckets.append([])
            room = _BUCKET_SIZE
        buckets[-1].append(name)
        room -= sizes[name]
    return buckets
