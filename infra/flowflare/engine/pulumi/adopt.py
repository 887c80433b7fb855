"""Takes things that a run made without hearing of it into a deployment: pure functions on JSON.

A deployment is what `pulumi stack export` prints below `deployment`. Secrets in it stay sealed.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
_INTERRUPTED: Final = "its creation was interrupted"


@dataclass(frozen=True)
class Found:
    """A thing in the account that a resource stands for.

    Attributes:
        id: the id that Pulumi's provider gives it.
        outputs: what is known of it, beside the resource's inputs.
        complete: whether it is as its inputs say; where it is not, the next `up` updates it.
    """

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True


def pending_creations(deployment: Mapping[str, Any]) -> list[Json]:
    """The resources that a run had begun to create when it ended, as it would have made them."""
    return [
        dict(one["resource"])
        for one in deployment.get("pending_operations") or ()
        if one.get("type") == "creating"
    ]


def settled(deployment: Mapping[str, Any], found: Mapping[str, Found | None]) -> Json:
    """The deployment with its interrupted creations settled.

    Args:
        deployment: the deployment; left as it is.
        found: by URN, what each pending creation made; None for nothing. A URN that is missing
            here stays pending.

    Returns:
        A deployment in which what was found is a resource, and nothing settled is pending.
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
            made = with_resource(made, resource, thing)
    made.pop("pending_operations", None)
    return {**made, "pending_operations": left} if left else made


def with_resource(deployment: Mapping[str, Any], resource: Mapping[str, Any], thing: Found) -> Json:
    """The deployment with one more resource, which is there already.

    What the state held under the same URN was to be replaced by it, and is still to be deleted;
    one that is already gone is dropped. The new record comes last: whatever it needs stands
    before it, as the CLI demands.

    Args:
        deployment: the deployment; left as it is.
        resource: the record as it was to be: urn, type, inputs, parent, provider and so on.
        thing: what it stands for.
    """
    made = copy.deepcopy(dict(deployment))
    resources = []
    for one in made.get("resources") or ():
        if one["urn"] != resource["urn"] or one.get("delete"):
            resources.append(one)
        elif not one.get("pendingReplacement"):
            resources.append({**one, "delete": True})
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
