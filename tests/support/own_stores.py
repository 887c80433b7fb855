"""An example of each store that a client's binding makes; a new kind needs an entry here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowflare.kinds.registry import list_own


@dataclass(frozen=True)
class OwnStore:
    """An example of a kind.

    Attributes:
        fields: for each setting in the configuration, by path: settings before and after.
        settings: the settings that the configuration requires, below those of `fields`.
        inputs: the resource's inputs besides account and name; secrets are marked.
        changes: inputs that change without a replacement; by default another name.
    """

    fields: Mapping[str, tuple[dict[str, Any], dict[str, Any]]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


OWN_STORES: Mapping[str, OwnStore] = {
    "kvNamespace": OwnStore({"name": ({}, {"name": "sessions"})}),
    "queue": OwnStore({"name": ({}, {"name": "jobs"})}),
    "r2Bucket": OwnStore(
        {
            "name": ({}, {"name": "files"}),
            "location": ({}, {"location": "weur"}),
            "storageClass": ({}, {"storageClass": "InfrequentAccess"}),
        },
        inputs={"storageClass": "Standard"},
        changes={"storageClass": "InfrequentAccess"},
    ),
}
assert OWN_STORES.keys() == list_own().keys(), "write an example of each kind"
