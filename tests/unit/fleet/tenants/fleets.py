"""Make small projects with a `tenants.yaml`."""

from pathlib import Path

from flowflare.config.files import read_project_file
from flowflare.errors import ConfigError
from flowflare.fleet.tenants.model import Fleet
from flowflare.fleet.tenants.read import read_fleet

ACCOUNT = "f10f1a4ef10f1a4ef10f1a4ef10f1a4e"
ZONE = "0123456789abcdef0123456789abcdef"
HEAD = f"defaults: {{accountId: {ACCOUNT}, engine: embedded}}\n"


def make_project(folder: Path, tenants: str, *, pulumi: str = "") -> Path:
    """Make a project's folder; `tenants` is the content of tenants.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text(f"name: shop\nruntime: python\n{pulumi}")
    (folder / "tenants.yaml").write_text(tenants)
    return folder


def load_fleet(root: Path) -> Fleet:
    return read_fleet(read_project_file(root), {"PATH": "/usr/bin:/bin"})


def list_problems(root: Path) -> list[str]:
    """List every problem of a fleet, `place: message`."""
    try:
        load_fleet(root)
    except ConfigError as error:
        return [f"{problem.place}: {problem.message}" for problem in error.problems]
    return []
