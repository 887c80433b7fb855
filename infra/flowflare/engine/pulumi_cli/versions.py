"""Define the versions of the Pulumi CLI and of the Cloudflare plugin that stacks run with."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from flowflare.reading.files import read_text
from flowflare.reading.json_text import parse_json

#: The CLI that passes our tests and that `flowflare doctor --install` installs.
PULUMI_VERSION: Final = "3.274.1"
#: The supported versions: state, events and messages are those of 3.255 and later. `Pulumi.yaml`
#: has the same range as `requiredPulumiVersion` (pulumi/pulumi #21627), so that plain `pulumi up`
#: refuses other versions too.
REQUIRED_PULUMI: Final = ">=3.255.0 <4.0.0"
_OLDEST: Final = (3, 255, 0)
_BELOW: Final = (4, 0, 0)


@dataclass(frozen=True)
class Plugin:
    """A resource plugin that the program's packages need.

    Attributes:
        version: the exact version that the CLI will load.
    """

    name: str
    version: str


def is_supported(version: tuple[int, ...]) -> bool:
    """Return whether a CLI of that version is supported."""
    return _OLDEST <= version[:3] < _BELOW


def cloudflare_plugin() -> Plugin:
    """Read the plugin that the installed `pulumi_cloudflare` pins, without importing it.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    spec = find_spec("pulumi_cloudflare")
    plugin = None if spec is None or spec.origin is None else _plugin(Path(spec.origin).parent)
    if plugin is None:
        raise ModuleNotFoundError("No module named 'pulumi_cloudflare'", name="pulumi_cloudflare")
    return plugin


def pinned_plugins(folders: Iterable[Path] | None = None) -> list[Plugin]:
    """List the plugins that installed packages pin (`pulumi-plugin.json`), without importing them.

    Args:
        folders: the folders of installed packages; by default those of this Python.
    """
    searched = map(Path, sys.path) if folders is None else folders
    packages = (package for folder in searched for package in sorted(folder.glob("pulumi_*")))
    return list(dict.fromkeys(plugin for plugin in map(_plugin, packages) if plugin))


def _plugin(package: Path) -> Plugin | None:
    """Read the plugin that a package pins; None for a package without a plugin."""
    try:
        fields = parse_json(read_text(package / "pulumi-plugin.json"))
    except (OSError, ValueError):
        return None
    if not fields.get("resource") or not fields.get("name") or not fields.get("version"):
        return None
    return Plugin(str(fields["name"]), str(fields["version"]).removeprefix("v"))
