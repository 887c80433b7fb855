"""Where the files that ship with the package are: templates, sources, migrations, docs, Node lock.

In a checkout they are the top-level folders; in a wheel they are below `_data/`. No other module
asks which of the two it runs from.
"""

from pathlib import Path
from typing import Literal

Kind = Literal["templates", "worker_src", "migrations", "docs"]

_PACKAGE = Path(__file__).parent
_WHEEL_DATA = _PACKAGE / "_data"
_ROOT = _WHEEL_DATA if _WHEEL_DATA.is_dir() else _PACKAGE.parent.parent


def folder(kind: Kind) -> Path:
    """The folder of that kind that the package brings."""
    return _ROOT / kind


def node_project() -> Path:
    """The folder of `package.json` and `package-lock.json`, the Node programs' exact versions."""
    return _ROOT


def requirements_lock() -> Path:
    """The packages that this release needs, each with its hashes, as pip reads them."""
    return _ROOT / "requirements.lock"


def finished_service_bundle() -> Path | None:
    """The service's bundle that travels in the wheel, or None in a checkout, where it is built."""
    bundle = _WHEEL_DATA / "service.js"
    return bundle if bundle.is_file() else None
