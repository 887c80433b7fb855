"""Add resources to a deployment in JSON: those whose creation was not answered.

A deployment is what `pulumi stack export` prints under `deployment`. Secrets in it stay sealed.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
_INTERRUPTED: Final = "its creation was interrupted"


@dataclass(frozen=True)
class Found:
    """An object in the account that belongs to a resource.

    Attributes:
        id: the ID that Pulumi's provider gives it.
        outputs: its known outputs, besides the resource's inputs.
        complete: whether it matches its inputs; if not, the next `up` updates it.
    """

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True


def pending_creations(deployment: Mapping[str, Any]) -> list[Json]:
    """List the records of resources that a run had begun to create when it was killed."""
    return [
        dict(operation["resource"])
        for operation in deployment.get("pending_operations") or ()
        if operation.get("type") == "creating"
    ]


def settle_creations(deployment: Mapping[str, Any], found: Mapping[str, Found | None]) -> Json:
    """Settle the interrupted creations of a deployment.

    Args:
        deployment: the deployment, which is not changed.
        found: by URN, the object that each pending creation made; None if it made none. A creation
            whose URN is missing here stays pending.

    Returns:
        A deployment with a resource for each object, and without the settled operations.
    """
    made = copy.deepcopy(dict(deployment))
    left = []
    for operation in made.get("pending_operations") or ():
        resource = operation["resource"]
        if operation.get("type") != "creating" or resource["urn"] not in found:
            left.append(operation)
            continue
        thing = found[resource["urn"]]
        if thing is not None:
            made = add_resource(made, resource, thing)
    made.pop("pending_operations", None)
    return {**made, "pending_operations": left} if left else made


def add_resource(deployment: Mapping[str, Any], resource: Mapping[str, Any], thing: Found) -> Json:
    """Add a resource that exists already to a deployment.

    It replaces the record that the state had under the same URN. That record is marked for
    deletion, or dropped if its resource is deleted already. The new record comes last: the CLI
    requires that a record comes after those that it needs.

    Args:
        deployment: the deployment, which is not changed.
        resource: the intended record: urn, type, inputs, parent, provider and so on.
    """
    made = copy.deepcopy(dict(deployment))
    resources = []
    for known in made.get("resources") or ():
        if known["urn"] != resource["urn"] or known.get("delete"):
            resources.append(known)
        elif not known.get("pendingReplacement"):
            resources.append({**known, "delete": True})
    inputs = copy.deepcopy(dict(resource.get("inputs") or {}))
    record = {
        **copy.deepcopy(dict(resource)),
        "custom": True,
        "id": thing.id,
        "inputs": inputs,
        "outputs": {**copy.deepcopy(dict(thing.outputs)), **inputs},
    }
    if not thing.complete:
        record["initErrors"] = [_INTERRUPTED]
    made["resources"] = [*resources, record]
    return made
