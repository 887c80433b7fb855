"""Puts the files that travel with the package into the wheel, under `flowflare/_data/`."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TRAVELLING = (
    *("templates", "worker_src", "migrations", "docs"),
    *("package.json", "package-lock.json", "requirements.lock"),
)


class TravellingFiles(BuildHookInterface):
    """Adds templates, Worker sources, migrations, the locks and the service's bundle."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Fills `force_include` for a wheel; an editable install reads the checkout instead."""
        if version == "editable":
            return
        bundle = Path(self.root, "build/service.js")
        if not bundle.is_file():
            message = "build/service.js is missing: run `make wheel`, which bundles it first"
            raise FileNotFoundError(message)
        include = {str(Path(self.root, name)): f"flowflare/_data/{name}" for name in TRAVELLING}
        build_data["force_include"] |= include | {str(bundle): "flowflare/_data/service.js"}
