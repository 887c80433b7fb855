"""Write the static assets of Workers into folders, from which workerd serves them."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from flowflare.emulator.database import Database
from flowflare.emulator.json_text import write_json

#: Files that Miniflare reads from the folder; Cloudflare receives their text in the configuration.
_RULES = ("_headers", "_redirects")


class AssetFolders:
    """Write each set of files once, into a folder that is named by its digest.

    Args:
        folder: the folder of all sets.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def clear(self) -> None:
        """Remove all folders; folders in use are written again."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def describe(self, account: str, assets: Mapping[str, Any]) -> dict[str, Any]:
        """Return how a Worker's assets are served, with the folder of its files.

        Args:
            assets: `manifest` and `config` as they are stored with the script.
        """
        config = assets["config"]
        return {
            "directory": str(self._write(account, assets["manifest"], config)),
            "html_handling": config.get("html_handling") or "auto-trailing-slash",
            "not_found_handling": config.get("not_found_handling") or "none",
            "run_worker_first": config.get("run_worker_first") or False,
        }

    def _write(self, account: str, manifest: Mapping[str, Any], config: Mapping[str, Any]) -> Path:
        rules = {name: str(config[name]) for name in _RULES if config.get(name)}
        key = write_json({"account": account, "manifest": dict(manifest), "rules": rules})
        folder = self._folder / hashlib.sha256(key.encode()).hexdigest()[:32]
        if folder.is_dir():
            return folder
        self._folder.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=self._folder))
        for path, file in manifest.items():
            target = new.joinpath(*(unquote(segment) for segment in path.split("/")[1:]))
            target.parent.mkdir(parents=True, exist_ok=True)
            sql = "SELECT content FROM assets WHERE account = ? AND hash = ?"
            row = self._database.row(sql, account, file["hash"])
            target.write_bytes(row["content"] if row else b"")
        for name, text in rules.items():
            (new / name).write_text(text, encoding="utf-8")
        os.replace(new, folder)  # noqa: PTH105 -- a whole folder at once
        return folder
