"""Read an upload: a multipart body in any of the three encodings that clients use.

wrangler sends `metadata` as a plain field before the modules. The Terraform provider and the Python
SDK send it after them as a part of type application/json. A module's name is its part's file name.
wrangler and the provider use it as the field name too; the SDK's field name is `files`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from flowflare.emulator import codes
from flowflare.emulator.json_text import NotJsonError, parse_json
from flowflare.emulator.services.scripts.client import client_of
from flowflare.emulator.services.scripts.script import Module

_DEFAULT_DATE = "2021-11-02"
_SCRIPT_TYPES = ("application/javascript", "text/javascript")
_PART_LIMIT = 64 * 1024 * 1024


_NOT_SETTINGS = {
    "assets",
    "bindings",
    "body_part",
    "keep_assets",
    "keep_bindings",
    "main_module",
    "migrations",
}


class _Step(BaseModel):
    """Hold the directives of one step of a class migration."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    class Rename(BaseModel):
        """Rename one class."""

        from_class: str = Field(alias="from")
        to: str

    class Transfer(BaseModel):
        """Take over one class from another script."""

        from_class: str = Field(alias="from")
        from_script: str
        to: str

    new_classes: list[str] = []
    new_sqlite_classes: list[str] = []
    deleted_classes: list[str] = []
    renamed_classes: list[Rename] = []
    transferred_classes: list[Transfer] = []


Step = _Step


class Migrations(_Step):
    """Hold `metadata.migrations`: one step, or several under `steps`."""

    old_tag: str | None = None
    new_tag: str | None = None
    steps: list[_Step] = []

    def all_steps(self) -> list[_Step]:
        """List the steps in order, in either form."""
        return list(self.steps) or [self]


class _Assets(BaseModel):
    """Hold `metadata.assets`: a completion token, and how the files are served."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    class Serving(BaseModel):
        """Hold `metadata.assets.config`."""

        model_config = ConfigDict(extra="allow", frozen=True)

        html_handling: Literal[
            "auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"
        ] = "auto-trailing-slash"
        not_found_handling: Literal["none", "404-page", "single-page-application"] = "none"
        run_worker_first: bool | list[str] = False

    jwt: str | None = None
    config: Serving | None = None


class Metadata(BaseModel):
    """Hold the upload's `metadata`; unknown keys are stored unchanged."""

    model_config = ConfigDict(extra="allow", frozen=True)

    main_module: str | None = None
    body_part: str | None = None
    bindings: list[dict[str, Any]] = []
    compatibility_date: str = _DEFAULT_DATE
    compatibility_flags: list[str] = []
    migrations: Migrations | None = None
    keep_bindings: list[str] = []
    assets: _Assets | None = None
    keep_assets: bool = False

    @model_validator(mode="before")
    @classmethod
    def _use_default(cls, given: Any) -> Any:
        """Read an empty date as the default (our reading)."""
        if isinstance(given, dict) and given.get("compatibility_date") == "":
            return {key: value for key, value in given.items() if key != "compatibility_date"}
        return given

    def settings(self) -> dict[str, Any]:
        """Return what is stored with the script: all except code, bindings and migrations.

        `implied` lists settings that were not given and that answers do not show: Terraform's plan
        would remove a date that its configuration does not have.
        """
        implied = {"compatibility_date"} - self.model_fields_set
        return self.model_dump(exclude=_NOT_SETTINGS) | {"implied": sorted(implied)}

    def asset_config(self) -> dict[str, Any] | None:
        """Return how the upload says that its files are served; None if it does not say."""
        config = self.assets and self.assets.config
        return config.model_dump(exclude_none=True) if config else None


@dataclass(frozen=True)
class Upload:
    """Hold a parsed upload: metadata, and the files with the main module first.

    Attributes:
        strict: whether `inherit` bindings without a match are refused.
        deployed_from: the kind of client, as `last_deployed_from` shows it.
    """

    metadata: Metadata
    modules: tuple[Module, ...]
    strict: bool
    deployed_from: str

    @property
    def service_worker(self) -> bool:
        """Return whether it is a script in the old service worker syntax, without modules."""
        return self.metadata.main_module is None


async def read_upload(request: Request) -> Upload:
    """Read the body of a script upload.

    A body of JavaScript is a script in the service worker syntax (cloudflare-typescript#2799).

    Raises:
        Refusal: 10001 another content type, 10026 unreadable metadata, 10021 no metadata or no main
            module.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if content_type in _SCRIPT_TYPES:
        return await _read_service_worker(request)
    if content_type != "multipart/form-data":
        raise codes.content_type("Content-Type must be 'multipart/form-data'.")
    try:
        form = await request.form(max_files=1000, max_fields=1000, max_part_size=_PART_LIMIT)
    except MultiPartException as error:
        raise codes.unparsable(f"Could not parse the multipart body: {error.message}") from None
    metadata = _metadata(await _text(form.get("metadata")))
    modules = await _modules(form)
    main = metadata.main_module or metadata.body_part
    if main is None:
        raise codes.invalid_script("metadata must name `main_module` or `body_part`.")
    first = [module for module in modules if module.name == main]
    if not first:
        raise codes.invalid_script(f'Uncaught Error: No such module "{main}".')
    return Upload(
        metadata,
        (*first, *(module for module in modules if module.name != main)),
        strict=request.query_params.get("bindings_inherit") == "strict",
        deployed_from=client_of(request),
    )


async def _read_service_worker(request: Request) -> Upload:
    module = Module("worker.js", "application/javascript", await request.body())
    metadata = Metadata(body_part=module.name)
    return Upload(metadata, (module,), strict=False, deployed_from=client_of(request))


async def _text(part: UploadFile | str | None) -> str:
    if part is None:
        raise codes.no_metadata()
    return part if isinstance(part, str) else (await part.read()).decode(errors="replace")


def _metadata(text: str) -> Metadata:
    try:
        given = parse_json(text)
        known = {key: value for key, value in given.items() if value is not None}
    except NotJsonError as error:
        raise codes.unparsable(f"The part 'metadata' is not valid JSON: {error}.") from None
    except AttributeError:
        raise codes.unparsable("The part 'metadata' is not a JSON object.") from None
    return validate_metadata(known, part="metadata")


def validate_metadata(given: Mapping[str, Any], *, part: str) -> Metadata:
    """Validate an upload's metadata, or settings of the same shape.

    Args:
        given: the JSON object.
        part: the name of the part that contains it, for the message.

    Raises:
        Refusal: 10026, a member has the wrong type.
    """
    try:
        return Metadata.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(key) for key in first["loc"])
        raise codes.unparsable(f"{part}.{path}: {first['msg']}") from None


async def _modules(form: FormData) -> list[Module]:
    modules = []
    for name, part in form.multi_items():
        if name == "metadata" or isinstance(part, str):
            continue
        content_type = part.content_type or "application/octet-stream"
        modules.append(Module(part.filename or name, content_type, await part.read()))
    return modules
