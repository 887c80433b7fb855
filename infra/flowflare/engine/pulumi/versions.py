"""Which Pulumi CLI and which Cloudflare plugin the real engine runs with: the one place."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

#: The CLI that tests were passed with and `flowflare doctor --install` installs.
PULUMI_VERSION: Final = "3.260.0"
#: What may run: state, events and messages are those of 3.255 and later. `Pulumi.yaml` says the
#: same as `requiredPulumiVersion` (pulumi/pulumi #21627), so that plain `pulumi up` refuses too.
REQUIRED_PULUMI: Final = ">=3.255.0 <4.0.0"
_OLDEST: Final = (3, 255, 0)
_BELOW: Final = (4, 0, 0)


@dataclass(frozen=True)
class Plugin:
    """A resource plugin that the program's packages ask for.

    Attributes:
        name: its name.
        version: the exact version that the CLI will load.
    """

    name: str
    version: str


def supported(version: tuple[int, ...]) -> bool:
    """Whether a CLI of that version may be driven."""
    return _OLDEST <= version[:3] < _BELOW


def cloudflare_plugin() -> Plugin:
    """The plugin that the installed `pulumi_cloudflare` pins, without importing that package.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    spec = find_spec("pulumi_cloudflare")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'pulumi_cloudflare'", name="pulumi_cloudflare")
    declared = Path(spec.origin).with_name("pulumi-plugin.json").read_text("utf-8")
    fields = json.loads(declared)
    return Plugin(str(fields["name"]), str(fields["version"]))
