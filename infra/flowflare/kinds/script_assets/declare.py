"""Registers the static assets of a script."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.script_assets.apply import ROOT_INPUT, ScriptAssetsProvider
from flowflare.kinds.workers_script.declare import Upload


class ScriptAssets(Resource, module="flowflare", name="ScriptAssets"):
    """Files that are attached to a script before the script's own upload.

    Args:
        name: the resource's name.
        upload: what an upload of the script needs.
        directory: the folder of the files, relative to the project.
        manifest: the hash of each file by its path in URLs.
        config: how the files are served, in the API's form.
        root: the project's folder, which is not stored.
    """

    def __init__(  # noqa: PLR0913 -- the arguments of one resource
        self,
        name: str,
        *,
        upload: Upload,
        directory: str,
        manifest: Mapping[str, str],
        config: Mapping[str, Any],
        root: Path,
        opts: pulumi.ResourceOptions,
    ) -> None:
        props = {
            **upload,
            "directory": directory,
            "manifest": dict(manifest),
            "config": dict(config),
            ROOT_INPUT: str(root),
        }
        super().__init__(ScriptAssetsProvider(), name, props, opts)
