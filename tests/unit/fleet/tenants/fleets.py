"""Projects with a `tenants.yaml`, as small as they can be."""

from pathlib import Path

from flowflare.errors import ConfigError
from flowflare.fleet.tenants.model import Fleet
from flowflare.fleet.tenants.read import read_fleet

ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"
ZONE = "0123456789abcdef0123456789abcdef"
HEAD = f"defaults: {{accountId: {ACCOUNT}, engine: embedded}}\n"


def project(folder: Path, tenants: str, *, pulumi: str = "") -> Path:
    """A project's folder; `tenants` is what tenants.yaml holds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(f"name: shop\nruntime: python\n{pulumi}")
    (folder / "tenants.yaml").write_text(tenants)
    return folder


def fleet(root: Path) -> Fleet:
    return read_fleet(root, {"PATH": "/usr/bin:/bin"})


def problems(root: Path) -> list[str]:
    """Every problem of a fleet, `place: message`; none where it is in order."""
    try:
        fleet(root)
    except ConfigError as error:
        return [f"{one.place}: {one.message}" for one in error.problems]
    return []
