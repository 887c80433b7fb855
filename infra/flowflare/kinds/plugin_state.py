"""Completes a resource's outputs to what Cloudflare's plugin stores in state.

The plugin cannot read a state without these: `pulumi refresh` then takes it for one of Terraform's
provider 4 ("missing required database_id"). As recorded with pulumi-cloudflare 6.23.1 (Terraform
provider 5.22); the format is that of `pkg/tfbridge/rawstate.go` of pulumi/pulumi-terraform-bridge.
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
#: The schema version of all resources in use; the plugin keeps no private state for them.
META: Final = '{"schema_version":"500"}'
# Terraform's maps, whose keys are not attributes.
_MAPS: Final = frozenset({"exports"})


class PluginState:
    """A kind of Cloudflare resource whose outputs are those that the plugin would have written.

    Args:
        kind: what makes the calls.
    """

    def __init__(self, kind: CloudflareHandler) -> None:
        self._kind = kind

    def complete(self, id_: str, outputs: Props) -> Props:
        """Add what the plugin keeps beside a resource's attributes.

        Args:
            id_: the resource's id.
            outputs: its attributes; secrets may be marked.
        """
        bare = {key: value for key, value in outputs.items() if not key.startswith("__")}
        terraform_id = self._kind.terraform_id(id_, bare)
        attributes = bare if terraform_id is None else {**bare, "id": terraform_id}
        # A list with a secret in it may be one secret as a whole.
        revealed = {key: reveal(value) for key, value in attributes.items()}
        return {**attributes, META_KEY: META, DELTA_KEY: _object_delta(revealed)}

    def completed(self, id_: str, outputs: Props) -> Props:
        """Add it where an earlier version of this engine left it out."""
        return outputs if is_complete(outputs) else self.complete(id_, outputs)

    def check(self, old: Props, new: Props) -> Props:
        """Check the inputs."""
        return self._kind.check(old, new)

    def diff(self, old: Existing, new: Props) -> Diff:
        """Compare inputs with inputs."""
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
        """Look the resource up."""
        made = self._kind.read(old)
        return made and self._with_state(made)

    def recover(self, new: Props) -> Made | None:
        """Find what an interrupted creation made."""
        made = self._kind.recover(new)
        return made and self._with_state(made)

    def _with_state(self, made: Made) -> Made:
        return replace(made, outputs=self.complete(made.id, made.outputs))


def serve(type_: str, access: Access) -> PluginState | None:
    """Return what serves a type, with the outputs that the plugin writes; None for another type."""
    kind = find_kind(type_)
    handler = None if kind is None else load_apply(kind)
    return None if handler is None else PluginState(handler(access))


def is_complete(outputs: Mapping[str, object]) -> bool:
    """Whether the plugin can read a state with these outputs."""
    return META_KEY in outputs


def _object_delta(attributes: Props) -> Props:
    """How the plugin makes Terraform's state of a map of attributes.

    It tells maps from objects, and nothing more: Terraform takes an attribute that is left out for
    null (`tftypes/value_json.go` of hashicorp/terraform-plugin-go).
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
