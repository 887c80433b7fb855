"""State: what a stack's checkpoint holds, as data, and how it is written down.

The format is Pulumi's deployment version 3; reference: `sdk/go/common/apitype/core.go` of
pulumi/pulumi, and runs of CLI 3.255 that accepted and continued files made here.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal, Protocol
from weakref import WeakKeyDictionary

from flowflare.errors import StateError
from flowflare.reading.json_text import parse_json
from flowflare.state.checkpoint_shape import check_checkpoint, refuse_foreign, shown_word
from flowflare.state.cron_cleanups import with_cron_cleanups
from flowflare.values.properties import (
    UNKNOWN,
    Asset,
    Opener,
    Props,
    Reference,
    Secret,
    Value,
    as_number,
    json_text,
    map_leaves,
    new_secret,
)
from flowflare.values.urns import STACK_TYPE, name_of
from flowflare.values.wire import (
    SECRET,
    SIGNATURE,
    UNKNOWN_TEXT,
    from_signature,
    to_signature,
)

PROVIDER_PREFIX: Final = "pulumi:providers:"
STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"
Doing = Literal["creating", "updating", "deleting", "reading", "importing"]


class Sealer(Opener, Protocol):
    """What opens and seals secrets: the stack's vault."""

    def seal(self, secret: Secret) -> str:
        """Returns the ciphertext of a secret."""


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource's record. Names and meanings are Pulumi's; absent values are empty here.

    Attributes:
        provider: `<provider urn>::<provider id>`.
        delete: the old half of a replacement, still to be removed.
        pending_replacement: already deleted, not yet made again.
        external: read, not managed.
        init_errors: why the resource may be incomplete; forces an update.
    """

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Props = field(default_factory=dict)
    outputs: Props = field(default_factory=dict)
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    delete: bool = False
    pending_replacement: bool = False
    external: bool = False
    init_errors: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    replacement_trigger: Value = None
    created: str = ""
    modified: str = ""

    @property
    def name(self) -> str:
        """The name that the program gave it."""
        return name_of(self.urn)

    def needs(self) -> set[str]:
        """URNs that must come before this record: parent, dependencies, provider and the like."""
        named = {self.parent, self.deleted_with, *self.dependencies, *self.replace_with}
        named.update(*self.property_dependencies.values())
        named.add(self.provider.rpartition("::")[0])
        return named - {""}


@dataclass(frozen=True)
class Pending:
    """An operation that was begun; found at a start, it is one that was interrupted."""

    resource: Resource
    doing: Doing


@dataclass(frozen=True)
class Deployment:
    """The whole state of a stack.

    Attributes:
        resources: the records, each after those that it needs.
        pending: operations under way.
        salt: the passphrase provider's salt string, empty where state holds no secret.
    """

    resources: tuple[Resource, ...] = ()
    pending: tuple[Pending, ...] = ()
    salt: str = ""

    @property
    def stack(self) -> Resource | None:
        """The record of the stack itself, which carries its outputs."""
        return next((one for one in self.resources if one.type == STACK_TYPE), None)


_VALUES: Final = frozenset({"inputs", "outputs", "replacement_trigger"})
_ALWAYS: Final = frozenset({"urn", "type", "custom"})


def _json_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def dump_resource(resource: Resource, sealer: Sealer) -> dict[str, Any]:
    """A record as the checkpoint holds it: empty fields left out, secrets sealed."""
    written: dict[str, Any] = {}
    for one in fields(resource):
        value = getattr(resource, one.name)
        if one.name in _VALUES:
            value = dump_value(value, sealer)
        elif isinstance(value, tuple):
            value = list(value)
        elif one.name == "property_dependencies":
            value = {key: list(urns) for key, urns in value.items()}
        elif one.name == "custom_timeouts":
            value = {key: as_number(float(seconds)) for key, seconds in value.items()}
        if value or one.name in _ALWAYS:
            written[_json_name(one.name)] = value
    return written


def load_resource(raw: Mapping[str, Any], opener: Opener) -> Resource:
    """Reads a record; fields that this engine does not know are dropped, as the CLI does.

    Raises:
        KeyError, TypeError, ValueError: the record is not one.
    """
    found: dict[str, Any] = {}
    for one in fields(Resource):
        value = raw.get(_json_name(one.name))
        if value is None:
            continue
        if one.name in _VALUES:
            value = load_value(value, opener)
        elif one.name == "property_dependencies":
            value = {key: tuple(urns or ()) for key, urns in value.items()}
        elif isinstance(value, list):
            value = tuple(value)
        found[one.name] = value
    resource = Resource(**found)
    if not resource.type:
        raise ValueError(f"{resource.urn} has no type")
    return resource


def dump_value(value: Value, sealer: Sealer) -> Value:
    """A value as the checkpoint holds it."""

    def written(leaf: Value) -> Value:
        if isinstance(leaf, Secret):
            return {SIGNATURE: SECRET, "ciphertext": sealer.seal(leaf)}
        if isinstance(leaf, Asset | Reference):
            return dump_value(to_signature(leaf), sealer)
        if leaf is UNKNOWN:
            return UNKNOWN_TEXT
        return as_number(leaf) if isinstance(leaf, float) else leaf

    return map_leaves(value, written)


def load_value(value: Value, opener: Opener) -> Value:
    """A value of a checkpoint; secrets stay sealed until they are looked at.

    Raises:
        ValueError, TypeError: a signature is unknown, or a secret has not exactly one text.
    """
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return _load_secret(value, opener)
        read = {key: load_value(item, opener) for key, item in value.items()}
        return from_signature(read) if SIGNATURE in read else read
    if isinstance(value, list):
        return [load_value(item, opener) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def load_secret_text(text: str) -> Value:
    """Read the value of an opened secret from its JSON text.

    Pulumi encrypts only the outermost secret. The `ciphertext` of a secret inside it is JSON that
    its no-op encrypter passed through (`SerializePropertyValue` in pkg/resource/stack of
    pulumi/pulumi), so no key is needed for it.

    Raises:
        ValueError: the text is not the JSON of a value; the message quotes none of it.
    """
    try:
        return load_value(parse_json(text), INSIDE_SECRET)
    except (ValueError, TypeError):
        raise ValueError("the content of a secret is not a value of Pulumi's") from None


class _InsideSecret:
    """Opens secrets that lie inside an opened secret, without a key."""

    def open(self, ciphertext: str) -> Value:
        """The value, from its JSON text."""
        return load_secret_text(ciphertext)


INSIDE_SECRET: Final = _InsideSecret()


def _load_secret(value: Mapping[str, Any], opener: Opener) -> Secret:
    if ("ciphertext" in value) == ("plaintext" in value):
        raise ValueError("a secret must have either a ciphertext or a plaintext")
    text = value.get("ciphertext", value.get("plaintext"))
    if not isinstance(text, str):
        raise TypeError("the ciphertext or plaintext of a secret must be a text")
    if "ciphertext" in value and opener is not INSIDE_SECRET:
        return Secret(ciphertext=text, opener=opener)
    return new_secret(load_secret_text(text))


def secret_text(secret: Secret) -> str:
    """What is encrypted for a secret: the JSON text of its value, inner secrets opened."""

    def written(leaf: Value) -> Value:
        if isinstance(leaf, Secret):
            return map_leaves(leaf.value, written)
        if isinstance(leaf, Asset | Reference):
            return map_leaves(to_signature(leaf), written)
        return UNKNOWN_TEXT if leaf is UNKNOWN else leaf

    return json_text(map_leaves(secret.value, written))


def magic(version: str) -> str:
    """The checksum that the CLI demands beside the manifest's version."""
    return hashlib.sha256(version.encode()).hexdigest()


class CheckpointWriter:
    """Writes checkpoints of one stack as text; a record that did not change is not dumped again.

    Args:
        sealer: seals the secrets.
        stack: the stack's full name, `organization/<project>/<stack>`.
        version: what writes, for the manifest.
    """

    def __init__(self, sealer: Sealer, *, stack: str, version: str) -> None:
        self._sealer = sealer
        self._stack = stack
        self._version = version
        self._texts: WeakKeyDictionary[Resource, str] = WeakKeyDictionary()

    def text(self, deployment: Deployment, time: str) -> str:
        """The checkpoint file's text.

        Args:
            deployment: the state.
            time: when it is written, RFC 3339.
        """
        manifest = {"time": time, "magic": magic(self._version), "version": self._version}
        latest = {"manifest": _compact(manifest)}
        if deployment.salt:
            provider = {"type": "passphrase", "state": {"salt": deployment.salt}}
            latest["secrets_providers"] = _compact(provider)
        if deployment.resources:
            latest["resources"] = f"[{','.join(map(self._record, deployment.resources))}]"
        if deployment.pending:
            operations = (
                f'{{"resource":{self._record(one.resource)},"type":"{one.doing}"}}'
                for one in deployment.pending
            )
            latest["pending_operations"] = f"[{','.join(operations)}]"
        latest["metadata"] = "{}"
        body = ",".join(f'"{key}":{text}' for key, text in latest.items())
        stack = _compact(self._stack)
        return f'{{"version":3,"checkpoint":{{"stack":{stack},"latest":{{{body}}}}}}}'

    def _record(self, resource: Resource) -> str:
        text = self._texts.get(resource)
        if text is None:
            text = self._texts[resource] = _compact(dump_resource(resource, self._sealer))
        return text


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def read_checkpoint(raw: Any, opener: Opener) -> Deployment:
    """Read a checkpoint file's content; what an earlier version left out of it is added.

    Args:
        raw: the parsed JSON.
        opener: what its secrets will be opened with; nothing is opened here.

    Raises:
        StateError: it is no checkpoint of a version and with secrets that this engine serves.
    """
    try:
        refuse_foreign(raw)
        check_checkpoint(raw)
        latest = with_cron_cleanups(raw["checkpoint"].get("latest") or {})
        return Deployment(
            resources=tuple(load_resource(one, opener) for one in latest.get("resources") or ()),
            pending=tuple(
                Pending(load_resource(one["resource"], opener), one["type"])
                for one in latest.get("pending_operations") or ()
            ),
            salt=salt_of(raw),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(f"the state is not a checkpoint: {error}") from None


def salt_of(raw: Any) -> str:
    """The salt string of a checkpoint file's content, empty where it has none."""
    latest = raw["checkpoint"].get("latest") or {}
    providers = latest.get("secrets_providers") or {}
    if providers and providers.get("type") != "passphrase":
        raise StateError(
            f"the state's secrets are kept by {shown_word(providers.get('type'))!r}",
            remedy="The embedded engine opens passphrase secrets: "
            "pulumi stack change-secrets-provider passphrase",
        )
    return str((providers.get("state") or {}).get("salt") or "")


def secrets_provider(raw: Any) -> str:
    """Return the type of a checkpoint's secrets provider; empty if it has none."""
    latest = (raw or {}).get("checkpoint", {}).get("latest") or {}
    return str((latest.get("secrets_providers") or {}).get("type") or "")


def renamed(resource: Resource, urns: Mapping[str, str]) -> Resource:
    """The record with every URN it names replaced by its present one.

    Args:
        resource: a record that is kept as it was.
        urns: old URN to new, of resources found again under an alias.
    """
    if not urns or not resource.needs() & urns.keys():
        return resource

    def now(urn: str) -> str:
        return urns.get(urn, urn)

    def all_now(named: Sequence[str]) -> tuple[str, ...]:
        return tuple(now(urn) for urn in named)

    provider_urn, _, provider_id = resource.provider.rpartition("::")
    return replace(
        resource,
        parent=now(resource.parent),
        deleted_with=now(resource.deleted_with),
        dependencies=all_now(resource.dependencies),
        replace_with=all_now(resource.replace_with),
        property_dependencies={
            key: all_now(named) for key, named in resource.property_dependencies.items()
        },
        provider=f"{now(provider_urn)}::{provider_id}" if resource.provider else "",
    )
