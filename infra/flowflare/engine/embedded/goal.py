"""Read a registration request as a goal: what the program declares about one resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from flowflare.errors import EngineError
from flowflare.state.checkpoint import PROVIDER_PREFIX, STACK_REFERENCE, Resource
from flowflare.values.properties import Props, Value
from flowflare.values.urns import Alias, type_of
from flowflare.values.wire import read_struct, read_value

if TYPE_CHECKING:
    from pulumi.runtime.proto import resource_pb2


@dataclass(frozen=True)
class Goal:
    """A resource as the program declares it; names and meanings are Pulumi's.

    Attributes:
        delete_before_replace: None if the program leaves the choice to the provider.
        version: version of the package that declares the type.
        plugin_url: where its plugin would be downloaded from; part of a default provider's name.
    """

    urn: str
    type: str
    name: str
    custom: bool
    inputs: Props
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    replacement_trigger: Value = None
    aliases: tuple[Alias, ...] = ()
    version: str = ""

    @property
    def package(self) -> str:
        """Return the type's package: `cloudflare` for `cloudflare:index/d1Database:D1Database`."""
        return self.type.split(":", 1)[0]

    @property
    def is_provider(self) -> bool:
        """Whether the resource is a provider that the program declares."""
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def is_local(self) -> bool:
        """Whether the resource is read from files only, and therefore also in a preview."""
        return self.type == STACK_REFERENCE

    def needs(self) -> set[str]:
        """Return the URNs of the resources that must have succeeded before this one."""
        named = {self.parent, self.provider.rpartition("::")[0], *self.dependencies}
        named.update(*self.property_dependencies.values())
        return named - {""}

    def record(self, inputs: Props, outputs: Props, id_: str = "") -> Resource:
        """Make the state record of the resource with these properties."""
        shared = {name: getattr(self, name) for name in _SHARED}
        return Resource(**shared, id=id_, inputs=inputs, outputs=outputs)


#: The fields that a record has from the goal.
_SHARED = ({item.name for item in fields(Goal)} & {item.name for item in fields(Resource)}) - {
    "inputs"
}


def read_goal(request: "resource_pb2.RegisterResourceRequest", urn: str) -> Goal:
    """Read the goal of a registration request.

    Args:
        urn: the URN made of its parent, type and name.

    Raises:
        EngineError: the request needs something that this engine does not support.
    """
    _refuse_unserved(request, type_of(urn))
    trigger = None
    if request.HasField("replacement_trigger"):
        trigger = read_value(request.replacement_trigger)
    timeouts = request.customTimeouts
    return Goal(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=read_struct(request.object),
        parent=request.parent,
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies={
            key: tuple(sorted(deps.urns))
            for key, deps in sorted(request.propertyDependencies.items())
        },
        provider=request.provider,
        providers=dict(request.providers),
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=(
            request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
        ),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        custom_timeouts={
            name: _parse_seconds(text)
            for name in ("create", "update", "delete")
            if (text := getattr(timeouts, name))
        },
        deleted_with=request.deletedWith,
        replace_with=tuple(request.replace_with),
        replacement_trigger=trigger,
        aliases=tuple(_read_alias(alias) for alias in request.aliases)
        + tuple(Alias(urn=urn) for urn in request.aliasURNs),
        version=request.version,
    )


def _read_alias(alias: object) -> Alias:
    urn = getattr(alias, "urn", "")
    if urn:
        return Alias(urn=urn)
    spec = alias.spec  # type: ignore[attr-defined]
    return Alias(
        name=spec.name,
        type=spec.type,
        stack=spec.stack,
        project=spec.project,
        parent=spec.parentUrn,
        no_parent=spec.noParent,
    )


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _parse_seconds(text: str) -> float:
    """Return the seconds of a Go duration such as `5m` or `1h30m`."""
    import re

    parts = re.findall(r"([\d.]+)(ms|s|m|h)", text)
    if "".join(number + unit for number, unit in parts) != text:
        raise EngineError(f"a custom timeout of {text!r} is not a duration such as 5m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _refuse_unserved(request: "resource_pb2.RegisterResourceRequest", type_: str) -> None:
    asked = []
    if request.remote:
        asked.append("a component of another language")
    if request.importId:
        asked.append("import")
    if request.packageRef:
        asked.append("a parameterized package")
    if asked:
        raise EngineError(
            f"{request.name} ({type_}) needs {' and '.join(asked)}, "
            "which the embedded engine does not support",
            remedy="Remove it, or run this stack with the Pulumi CLI "
            "(remove flowflare:engine from its file).",
        )
