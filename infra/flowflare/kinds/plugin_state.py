"""Add to a resource's outputs what Cloudflare's plugin stores in state.

The plugin cannot read a state without these outputs: `pulumi refresh` then assumes a state of
Terraform's provider 4 ("missing required database_id"). The values were recorded with
pulumi-cloudflare 6.23.1 (Terraform provider 5.22); `pkg/tfbridge/rawstate.go` of
pulumi/pulumi-terraform-bridge defines the format.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from flowflare.kinds.access import Access
from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.contract import load_apply
from flowflare.kinds.handler import Diff, Existing, Made
from flowflare.kinds.registry import find_kind
from flowflare.values.properties import Props, Value, reveal

META_KEY: Final = "__meta"
DELTA_KEY: Final = "__pulumi_raw_state_delta"
#: The schema version of all resources in use; the plugin stores no private state for them.
META: Final = '{"schema_version":"500"}'
# Terraform's maps, whose keys are not attributes.
_MAPS: Final = frozenset({"exports"})


class PluginState:
    """A handler of Cloudflare resources with the same outputs as the plugin.

    Args:
        kind: the handler that calls the API.
    """

    def __init__(self, kind: CloudflareHandler) -> None:
        self._kind = kind

    def complete(self, id_: str, outputs: Props) -> Props:
        """Add the outputs that the plugin stores besides a resource's attributes.

        Args:
            outputs: its attributes; secrets may be marked.
        """
        bare = {key: value for key, value in outputs.items() if not key.startswith("__")}
        terraform_id = self._kind.terraform_id(id_, bare)
        attributes = bare if terraform_id is None else {**bare, "id": terraform_id}
        # A list with a secret in it may be marked as one secret.
        revealed = {key: reveal(value) for key, value in attributes.items()}
        return {**attributes, META_KEY: META, DELTA_KEY: _object_delta(revealed)}

    def complete_record(self, id_: str, outputs: Props) -> Props:
        """Add these outputs to a record that an earlier version of this engine wrote."""
        return outputs if is_complete(outputs) else self.complete(id_, outputs)

    def check(self, old: Props, new: Props) -> Props:
        """Check the inputs."""
        return self._kind.check(old, new)

    def diff(self, old: Existing, new: Props) -> Diff:
        """Compare the inputs in state with the new inputs."""
        return self._kind.diff(old, new)

    def foresee(self, old: Existing | None, new: Props) -> Props:
        """Return the outputs that are known beforehand."""
        return self._kind.foresee(old, new)

    def create(self, new: Props) -> Made:
        """Create the resource."""
        return self._with_state(self._kind.create(new))

    def update(self, old: Existing, new: Props) -> Props:
        """Change the resource."""
        return self.complete(old.id, self._kind.update(old, new))

    def delete(self, old: Existing) -> None:
        """Delete the resource."""
        self._kind.delete(old)

    def read(self, old: Existing) -> Made | None:
        """Read the resource; None if it does not exist."""
        made = self._kind.read(old)
        return made and self._with_state(made)

    def recover(self, new: Props) -> Made | None:
        """Find the resource of an interrupted creation."""
        made = self._kind.recover(new)
        return made and self._with_state(made)

    def _with_state(self, made: Made) -> Made:
        return replace(made, outputs=self.complete(made.id, made.outputs))


def serve(type_: str, access: Access) -> PluginState | None:
    """Return the type's handler, which adds the plugin's outputs; None if the type has none."""
    kind = find_kind(type_)
    handler = None if kind is None else load_apply(kind)
    return None if handler is None else PluginState(handler(access))


def is_complete(outputs: Mapping[str, object]) -> bool:
    """Whether the plugin can read a state with these outputs."""
    return META_KEY in outputs


def _object_delta(attributes: Props) -> Props:
    """Return the delta from which the plugin builds Terraform's state of a map of attributes.

    It only distinguishes maps from objects: for Terraform, a missing attribute is null
    (`tftypes/value_json.go` of hashicorp/terraform-plugin-go).
    """
    deltas = {
        key: _map_delta(value) if key in _MAPS else _delta(value)
        for key, value in attributes.items()
    }
    found = {key: delta for key, delta in deltas.items() if delta}
    return {"obj": {"ps": found} if found else {}}


def _map_delta(value: Value) -> Props:
    items = value if isinstance(value, dict) else {}
    return {"map": {"el": {key: _delta(item) for key, item in items.items()}}}


def _delta(value: Value) -> Props:
    if isinstance(value, list):
        items = {str(index): _delta(item) for index, item in enumerate(value)}
        found = {index: delta for index, delta in items.items() if delta}
        return {"arr": {"el": found}} if found else {}
    return _object_delta(value) if isinstance(value, dict) else {}
