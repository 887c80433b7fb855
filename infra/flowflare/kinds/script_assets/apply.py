"""Provider of a script's static assets."""

import json
from pathlib import Path

from pulumi.dynamic import CheckResult, ReadResult

from flowflare.api import Part
from flowflare.kinds.live_script import read_live, read_service, script_path
from flowflare.kinds.module_parts import make_module_parts
from flowflare.kinds.provider import (
    STORED_MODULE,
    Props,
    UploadProvider,
    keep_outputs,
    make_gone_result,
)
from flowflare.kinds.script_assets.session import upload_assets

#: An input of one run: the folder of relative paths. `check` removes it, so states do not have it.
ROOT_INPUT = "__root"


class ScriptAssetsProvider(UploadProvider):
    """Files that are attached to a script before Cloudflare's provider uploads it.

    That provider keeps them with `keepAssets`. It could upload a folder itself, but it ignores
    `.assetsignore`, and a plan would not say which files change. A missing script is uploaded
    without bindings; a live script gets the new code and keeps its bindings and settings.
    """

    __module__ = STORED_MODULE

    compared = "manifest"
    # `check` runs before `create` and `update` in the same process.
    _root: str = ""

    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Take the folder of relative paths out of the inputs."""
        self._root = news.get(ROOT_INPUT) or self._root
        left_out = (ROOT_INPUT, "__provider")
        return CheckResult({key: news[key] for key in news if key not in left_out}, [])

    def read(self, id_: str, props: Props) -> ReadResult:
        """Find the script; the resource is gone if the script has no static assets."""
        live = read_service(self.api(), props["account_id"], props["script_name"])
        has_assets = live is not None and live.get("has_assets")
        return ReadResult(id_, keep_outputs(props)) if has_assets else make_gone_result()

    def upload(self, props: Props) -> None:
        """Upload the changed files, and attach them to the script.

        Raises:
            EngineError: a file has changed since the plan was made.
            ApiError: Cloudflare refused a request.
        """
        client, account, script = self.api(), props["account_id"], props["script_name"]
        folder = Path(self._root, props["directory"])
        token = upload_assets(client, account, script, folder, props["manifest"])
        live = read_live(client, account, script)
        kept = live.kept_settings() if live else {}
        names = [binding["name"] for binding in live.bindings] if live else []
        metadata = {
            **{key: value for key, value in kept.items() if key != "keep_assets"},
            "main_module": props["main_module"],
            "bindings": [{"type": "inherit", "name": name} for name in names],
            "compatibility_date": props["compatibility_date"],
            "compatibility_flags": props["compatibility_flags"],
            "assets": {"jwt": token, "config": props["config"]},
        }
        first = Part("metadata", json.dumps(metadata), "application/json")
        client.call(
            "PUT",
            script_path(account, script),
            parts=[first, *make_module_parts(props)],
            query={"bindings_inherit": "strict"},
        )
