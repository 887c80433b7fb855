"""State: the content of a stack's checkpoint as data, and its JSON format.

The format is Pulumi's deployment version 3; reference: `sdk/go/common/apitype/core.go` of
pulumi/pulumi, and runs of CLI 3.255 that read and updated files made here.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal, Protocol
from weakref import WeakKeyDictionary

from flowflare.errors import StateError
from flowflare.kinds.cron_cleanup.upgrade import add_cron_cleanups
from flowflare.reading.json_text import parse_json
from flowflare.state.checkpoint_shape import check_checkpoint, format_word, refuse_foreign
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
    """Decrypts and encrypts secrets: the stack's vault."""

    def seal(self, secret: Secret) -> str:
        """Return the ciphertext of a secret."""


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource's record. Names and meanings are Pulumi's; missing values are empty.

    Attributes:
        provider: `<provider urn>::<provider id>`.
        delete: the old half of a replacement, still to be removed.
        pending_replacement: already deleted, not yet created again.
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
        """Return the URNs that must come before this record, such as parent and dependencies."""
        named = {self.parent, self.deleted_with, *self.dependencies, *self.replace_with}
        named.update(*self.property_dependencies.values())
        named.add(self.provider.rpartition("::")[0])
        return named - {""}


@dataclass(frozen=True)
class Pending:
    """An operation that has begun; if a run finds one at its start, it was interrupted."""

    resource: Resource
    doing: Doing


@dataclass(frozen=True)
class Deployment:
    """The whole state of a stack.

    Attributes:
        resources: the records, each after those that it needs.
        pending: operations under way.
        salt: the passphrase provider's salt string, empty if state has no secrets.
    """

    resources: tuple[Resource, ...] = ()
    pending: tuple[Pending, ...] = ()
    salt: str = ""

    @property
    def stack(self) -> Resource | None:
        """The record of the stack itself, which carries its outputs."""
        return next((record for record in self.resources if record.type == STACK_TYPE), None)


_VALUES: Final = frozenset({"inputs", "outputs", "replacement_trigger"})
_ALWAYS: Final = frozenset({"urn", "type", "custom"})


def _to_json_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def dump_resource(resource: Resource, sealer: Sealer) -> dict[str, Any]:
    """Return a record as JSON, without empty fields and with encrypted secrets."""
    record: dict[str, Any] = {}
    for field_ in fields(resource):
        value = getattr(resource, field_.name)
        if field_.name in _VALUES:
            value = dump_value(value, sealer)
        elif isinstance(value, tuple):
            value = list(value)
        elif field_.name == "property_dependencies":
            value = {key: list(urns) for key, urns in value.items()}
        elif field_.name == "custom_timeouts":
            value = {key: as_number(float(seconds)) for key, seconds in value.items()}
        if value or field_.name in _ALWAYS:
            record[_to_json_name(field_.name)] = value
    return record


def load_resource(raw: Mapping[str, Any], opener: Opener) -> Resource:
    """Read a record; unknown fields are dropped, as in the CLI.

    Raises:
        KeyError, TypeError, ValueError: the record is invalid.
    """
    found: dict[str, Any] = {}
    for field_ in fields(Resource):
        value = raw.get(_to_json_name(field_.name))
        if value is None:
            continue
        if field_.name in _VALUES:
            value = load_value(value, opener)
        elif field_.name == "property_dependencies":
            value = {key: tuple(urns or ()) for key, urns in value.items()}
        elif isinstance(value, list):
            value = tuple(value)
        found[field_.name] = value
    resource = Resource(**found)
    if not resource.type:
        raise ValueError(f"{resource.urn} has no type")
    return resource


def dump_value(value: Value, sealer: Sealer) -> Value:
    """Return a value as JSON."""

    def dump_leaf(leaf: Value) -> Value:
        if isinstance(leaf, Secret):
            return {SIGNATURE: SECRET, "ciphertext": sealer.seal(leaf)}
        if isinstance(leaf, Asset | Reference):
            return dump_value(to_signature(leaf), sealer)
        if leaf is UNKNOWN:
            return UNKNOWN_TEXT
        return as_number(leaf) if isinstance(leaf, float) else leaf

    return map_leaves(value, dump_leaf)


def load_value(value: Value, opener: Opener) -> Value:
    """Read a value of a checkpoint; secrets are decrypted on first use.

    Raises:
        ValueError, TypeError: a signature is unknown, or a secret does not have exactly one text.
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
    """Read the value of a decrypted secret from its JSON text.

    Pulumi encrypts only the outermost secret. The `ciphertext` of a secret inside it is JSON that
    its no-op encrypter passed through (`SerializePropertyValue` in pkg/resource/stack of
    pulumi/pulumi), so no key is needed for it.

    Raises:
        ValueError: the text is not the JSON of a value; the message quotes none of it.
    """
    try:
        return load_value(parse_json(text), INSIDE_SECRET)
    except (ValueError, TypeError):
        raise ValueError("the content of a secret is not a Pulumi value") from None


class _InsideSecret:
    """Opens secrets inside a decrypted secret, without a key."""

    def open(self, ciphertext: str) -> Value:
        """Read the value from its JSON text."""
        return load_secret_text(ciphertext)


INSIDE_SECRET: Final = _InsideSecret()


def _load_secret(value: Mapping[str, Any], opener: Opener) -> Secret:
    if ("ciphertext" in value) == ("plaintext" in value):
        raise ValueError("a secret must have either a ciphertext or a plaintext")
    text = value.get("ciphertext", value.get("plaintext"))
    if not isinstance(text, str):
        raise TypeError("the ciphertext or plaintext of a secret must be a string")
    if "ciphertext" in value and opener is not INSIDE_SECRET:
        return Secret(ciphertext=text, opener=opener)
    return new_secret(load_secret_text(text))


def dump_secret(secret: Secret) -> str:
    """Return the text to encrypt for a secret: its value as JSON, with inner secrets decrypted."""

    def dump_leaf(leaf: Value) -> Value:
        if isinstance(leaf, Secret):
            return map_leaves(leaf.value, dump_leaf)
        if isinstance(leaf, Asset | Reference):
            return map_leaves(to_signature(leaf), dump_leaf)
        return UNKNOWN_TEXT if leaf is UNKNOWN else leaf

    return json_text(map_leaves(secret.value, dump_leaf))


def compute_magic(version: str) -> str:
    """Return the checksum that the CLI requires beside the manifest's version."""
    return hashlib.sha256(version.encode()).hexdigest()


class CheckpointWriter:
    """Writes checkpoints of one stack as text, and reuses the text of unchanged records.

    Args:
        stack: the stack's full name, `organization/<project>/<stack>`.
        version: the program and version that write, for the manifest.
    """

    def __init__(self, sealer: Sealer, *, stack: str, version: str) -> None:
        self._sealer = sealer
        self._stack = stack
        self._version = version
        self._texts: WeakKeyDictionary[Resource, str] = WeakKeyDictionary()

    def text(self, deployment: Deployment, time: str) -> str:
        """Return the checkpoint file's text.

        Args:
            time: when it is written, RFC 3339.
        """
        manifest = {"time": time, "magic": compute_magic(self._version), "version": self._version}
        latest = {"manifest": _compact(manifest)}
        if deployment.salt:
            provider = {"type": "passphrase", "state": {"salt": deployment.salt}}
            latest["secrets_providers"] = _compact(provider)
        if deployment.resources:
            latest["resources"] = f"[{','.join(map(self._record, deployment.resources))}]"
        if deployment.pending:
            operations = (
                f'{{"resource":{self._record(operation.resource)},"type":"{operation.doing}"}}'
                for operation in deployment.pending
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
    """Read a checkpoint's content, and add what earlier versions did not write.

    Args:
        opener: decrypts its secrets later.

    Raises:
        StateError: the content is not a checkpoint, or its version or secrets are not supported.
    """
    try:
        refuse_foreign(raw)
        check_checkpoint(raw)
        latest = add_cron_cleanups(raw["checkpoint"].get("latest") or {})
        return Deployment(
            resources=tuple(
                load_resource(record, opener) for record in latest.get("resources") or ()
            ),
            pending=tuple(
                Pending(load_resource(operation["resource"], opener), operation["type"])
                for operation in latest.get("pending_operations") or ()
            ),
            salt=read_salt(raw),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(f"the state is not a checkpoint: {error}") from None


def read_salt(raw: Any) -> str:
    """Return the salt string of a checkpoint's content, empty if it has none."""
    latest = raw["checkpoint"].get("latest") or {}
    providers = latest.get("secrets_providers") or {}
    if providers and providers.get("type") != "passphrase":
        raise StateError(
            f"the state's secrets are encrypted by {format_word(providers.get('type'))!r}",
            remedy="The embedded engine only decrypts passphrase secrets. Run: "
            "pulumi stack change-secrets-provider passphrase",
        )
    return str((providers.get("state") or {}).get("salt") or "")


def read_secrets_provider(raw: Any) -> str:
    """Return the type of a checkpoint's secrets provider; empty if it has none."""
    latest = (raw or {}).get("checkpoint", {}).get("latest") or {}
    return str((latest.get("secrets_providers") or {}).get("type") or "")


def rename_urns(resource: Resource, urns: Mapping[str, str]) -> Resource:
    """Replace old URNs in a record with the current ones.

    Args:
        resource: a record that is otherwise kept.
        urns: new URNs by old one, of resources that were found under an alias; empty to drop it.
    """
    if not urns or not resource.needs() & urns.keys():
        return resource

    def replace_urn(urn: str) -> str:
        return urns.get(urn, urn)

    def replace_all(named: Sequence[str]) -> tuple[str, ...]:
        return tuple(found for urn in named if (found := replace_urn(urn)))

    provider_urn, _, provider_id = resource.provider.rpartition("::")
    return replace(
        resource,
        parent=replace_urn(resource.parent),
        deleted_with=replace_urn(resource.deleted_with),
        dependencies=replace_all(resource.dependencies),
        replace_with=replace_all(resource.replace_with),
        property_dependencies={
            key: replace_all(named) for key, named in resource.property_dependencies.items()
        },
        provider=f"{replace_urn(provider_urn)}::{provider_id}" if resource.provider else "",
    )
