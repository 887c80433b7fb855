"""Read and render versions of Workers as JSON, with modules in base64."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from flowflare.emulator import codes
from flowflare.emulator.services.scripts import views as script_views
from flowflare.emulator.services.scripts.classes import Ledger
from flowflare.emulator.services.scripts.script import ASSETS_ONLY_NAME, Binding, Module, Script
from flowflare.emulator.services.scripts.upload import Upload, validate_metadata

#: The module of a version that has only static assets. It never gets a request.
ASSETS_ONLY = Module(
    ASSETS_ONLY_NAME,
    "application/javascript+module",
    b"export default { fetch: () => new Response(null, { status: 404 }) };",
)
#: Members that a version has only if its upload gave them.
_OPTIONAL = ("cache_options", "containers", "limits", "package_dependencies", "placement")


def read_version(body: Mapping[str, Any], client: str) -> Upload:
    """Read the body that creates a version.

    Raises:
        Refusal: 10001 invalid modules (our reading), 10021 no main module, 10026 a member has the
            wrong type, or 10211 class migrations, which Cloudflare applies at the deployment.
    """
    given = {key: value for key, value in body.items() if value is not None and key != "modules"}
    if given.get("migrations"):
        raise codes.version_with_migration()
    modules = _read_modules(body.get("modules"))
    if not modules and given.get("assets"):
        modules = [ASSETS_ONLY]
        given["main_module"] = ASSETS_ONLY.name
    metadata = validate_metadata(given, part="body")
    first = [module for module in modules if module.name == metadata.main_module]
    if not first:
        raise codes.invalid_script(f'Uncaught Error: No such module "{metadata.main_module}".')
    others = [module for module in modules if module.name != metadata.main_module]
    return Upload(metadata, (*first, *others), strict=True, deployed_from=client)


def _read_modules(given: Any) -> list[Module]:
    if given is not None and not isinstance(given, list):
        raise codes.invalid_body("`modules` must be a list.")
    modules = []
    for module in given or ():
        try:
            name, kind = module["name"], module["content_type"]
            content = base64.b64decode(module["content_base64"], validate=True)
        except (LookupError, TypeError, ValueError):
            name = kind = content = None
        if content is None or not isinstance(name, str) or not isinstance(kind, str):
            raise codes.invalid_body(
                "A module needs `name`, `content_type` and `content_base64`, which is base64."
            )
        modules.append(Module(name, kind, content))
    return modules


def view_version(
    version: Script, ledger: Ledger, modules: Sequence[Module] | None = None
) -> dict[str, Any]:
    """Render a version. It has only members that were given, as the provider expects."""
    metadata = version.metadata
    settings = script_views.settings(version, ledger)
    view: dict[str, Any] = {
        "id": version.version_id,
        "number": version.number,
        "created_on": version.modified_on,
        "urls": [],
        "author_email": "user@example.com",
        "source": version.deployed_from,
        "annotations": metadata.get("annotations") or {},
        "compatibility_flags": settings["compatibility_flags"],
        "usage_model": settings["usage_model"],
        "startup_time_ms": 1,
        **{key: metadata[key] for key in _OPTIONAL if metadata.get(key)},
    }
    if "compatibility_date" in settings:
        view["compatibility_date"] = settings["compatibility_date"]
    if settings["bindings"]:
        view["bindings"] = [_view_binding(binding) for binding in settings["bindings"]]
    if metadata.get("assets"):
        view["assets"] = {"config": metadata["assets"]["config"]}
    if not version.service_worker and version.main != ASSETS_ONLY.name:
        view["main_module"] = version.main
    if version.migration_tag is not None:
        view["migration_tag"] = version.migration_tag
    if modules is not None and version.main != ASSETS_ONLY.name:
        view["modules"] = [
            {
                "name": module.name,
                "content_type": module.content_type,
                "content_base64": base64.b64encode(module.content).decode(),
            }
            for module in modules
        ]
    return view


def _view_binding(binding: Binding) -> dict[str, Any]:
    """Render a binding; D1's has its database under both names, as the SDK's type requires."""
    if binding["type"] != "d1":
        return dict(binding)
    database = binding.get("id") or binding.get("database_id")
    return {**binding, "id": database, "database_id": database}
