"""Make a stack's state comparable with its account, and find the differences between the two."""

from collections.abc import Iterator

from flowflare.errors import SecretError
from flowflare.kinds import workers_script
from flowflare.kinds.account import Account
from flowflare.kinds.contract import load_drift
from flowflare.kinds.drifted import Drifted, Unknown
from flowflare.kinds.registry import KINDS, find_kind
from flowflare.kinds.scene import Record, Scene, text
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.values import show
from flowflare.values.properties import UNKNOWN, Props, Secret, Value


def find_differences(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find what differs between a state and its account; only reads the account."""
    for kind in KINDS:
        compare = load_drift(kind)
        if compare is not None:
            yield from compare(scene, account)


def make_scene(deployment: Deployment) -> Scene:
    """Make the scene of a state. Properties that are secret as a whole are decrypted in memory.

    A property that cannot be decrypted becomes `UNKNOWN`, and is listed as unknown.
    """
    unknown: list[Unknown] = []
    found: dict[str, list[Record]] = {}
    for resource in deployment.resources:
        if resource.custom and not (
            resource.delete or resource.external or resource.pending_replacement
        ):
            record = (
                _decrypt_record(resource, unknown)
                if is_compared(resource.type)
                else _make_record(resource, resource.inputs, {})
            )
            found.setdefault(resource.type, []).append(record)
    resources = {type_: tuple(records) for type_, records in found.items()}
    scripts = {
        text(resource, "scriptName"): resource
        for resource in resources.get(workers_script.KIND.type, ())
    }
    return Scene(resources, scripts, unknown=unknown)


def _make_record(resource: Resource, inputs: Props, outputs: Props) -> Record:
    return Record(resource.name, resource.type, resource.id, inputs, outputs)


def _decrypt_record(resource: Resource, unknown: list[Unknown]) -> Record:
    """Decrypt the record's secret properties, as far as possible."""

    def decrypt_props(props: Props) -> Props:
        return {
            key: _decrypt(resource, key, value, unknown) if isinstance(value, Secret) else value
            for key, value in props.items()
            if not key.startswith("__")  # the Pulumi CLI's own bookkeeping
        }

    computed = {key: value for key, value in resource.outputs.items() if key not in resource.inputs}
    return _make_record(resource, decrypt_props(resource.inputs), decrypt_props(computed))


def _decrypt(resource: Resource, key: str, value: Secret, unknown: list[Unknown]) -> Value:
    """Decrypt a secret, which stays marked as secret; a list becomes its items by name."""
    try:
        named = show.secret_names(value)
    except SecretError as error:
        message = f"{key} is secret in state and cannot be decrypted: {error.message}"
        unknown.append(Unknown(resource=resource.name, type=resource.type, message=message))
        return UNKNOWN
    return value if named is None else list(named.values())


def is_compared(type_: str) -> bool:
    """Return whether resources of a type can be compared with the account."""
    kind = find_kind(type_)
    return kind is not None and load_drift(kind) is not None
