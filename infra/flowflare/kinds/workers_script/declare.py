"""Register a Worker's script.

Defaults of the API are set explicitly, so that a `refresh` finds nothing that the program does not
declare.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from flowflare.kinds.cloudflare import WorkersScript
from flowflare.model.code_module import CodeModule
from flowflare.model.stack import ServiceSpec
from flowflare.model.worker import WorkerSpec

_RATE = "head_sampling_rate"


class File(TypedDict):
    """A module beside the main module, as Cloudflare's provider takes it."""

    content_type: str
    content_base64: str


class Upload(TypedDict):
    """What every upload of a script needs: the address, the modules and compatibility."""

    account_id: str
    script_name: str
    main_module: str
    content: str
    files: NotRequired[dict[str, File]]
    compatibility_date: str
    compatibility_flags: list[str]


def make_upload(
    account_id: str,
    spec: WorkerSpec,
    main_module: str,
    content: str,
    modules: Sequence[CodeModule] = (),
) -> Upload:
    """Collect what every upload of a Worker's script needs."""
    upload = Upload(
        account_id=account_id,
        script_name=spec.script_name,
        main_module=main_module,
        content=content,
        compatibility_date=spec.compatibility_date,
        compatibility_flags=list(spec.compatibility_flags),
    )
    if modules:
        upload["files"] = {
            module.name: File(content_type=module.content_type, content_base64=module.base64)
            for module in modules
        }
    return upload


def declare_script(
    name: str,
    *,
    upload: Upload,
    spec: WorkerSpec,
    bindings: Sequence[Any],
    assets: Mapping[str, Any] | None = None,
    opts: pulumi.ResourceOptions,
) -> WorkersScript:
    """Declare a `WorkersScript`; its bindings are `WorkersScriptBindingArgs`, sorted by name.

    Its static assets are attached before, and kept; `assets` says how they are served.
    """
    return WorkersScript(
        name,
        **upload,
        bindings=list(bindings),
        # Without `strict`, a script without an inherited binding would deploy, and fail at run
        # time.
        bindings_inherit="strict" if any(each.type == "inherit" for each in bindings) else None,
        usage_model="standard",
        keep_assets=None if assets is None else True,
        assets=None if assets is None else {"config": _name_rules(assets)},
        # Only the service is deleted while other scripts still bind it; force deletes those
        # bindings.
        force=isinstance(spec, ServiceSpec),
        **{key: _drop_default_rates(value) for key, value in spec.settings.items()},
        opts=opts,
    )


def _name_rules(config: Mapping[str, Any]) -> dict[str, Any]:
    """Name the rule files as Cloudflare's provider does: `headers` for `_headers`."""
    return {key.removeprefix("_"): value for key, value in config.items()}


def _drop_default_rates(setting: Any) -> Any:
    """Remove a rate of 1, Cloudflare's default, from the mappings inside a setting."""
    if not isinstance(setting, dict):
        return setting
    return {
        key: {name: each for name, each in value.items() if (name, each) != (_RATE, 1)}
        if isinstance(value, dict)
        else value
        for key, value in setting.items()
    }
