"""Compute the steps of rotating a stack's API key from its configuration and state; pure.

Clients are deployed before the service, so a single `up` cannot give both a new key without a
moment in which only the clients have it. Three can: the service accepts the new and the old key,
the clients switch to the new key, and the service drops the old one. Each step changes two fields
of the configuration, which is the only record of a rotation.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from flowflare.errors import RolloutError

ACCEPTED_KEY = "flowflare:apiKeys"
IN_USE_KEY = "flowflare:apiKeyInUse"
#: The purpose of a step; `resume` deploys the configuration that an interrupted last step wrote.
Kind = Literal["resume", "accept", "change-over", "drop"]


@dataclass(frozen=True)
class Keys:
    """The generations of the API key in the configuration.

    Attributes:
        accepted: the generations that the service accepts.
        in_use: the generation that the clients send and the stack's outputs show.
    """

    accepted: tuple[int, ...] = (1,)
    in_use: int = 1

    @property
    def others(self) -> tuple[int, ...]:
        """The generations that are accepted and not in use."""
        return tuple(number for number in self.accepted if number != self.in_use)

    @property
    def configuration(self) -> dict[str, int | list[int]]:
        """The full names of the configuration's fields, with their values."""
        return {ACCEPTED_KEY: list(self.accepted), IN_USE_KEY: self.in_use}

    def __str__(self) -> str:
        return f"{ACCEPTED_KEY}: {list(self.accepted)}, {IN_USE_KEY}: {self.in_use}"


@dataclass(frozen=True)
class RotationStep:
    """One `up` of a rotation.

    Attributes:
        kind: the purpose.
        keys: the configuration of the step.
        back: the configuration that rolls the step back.
    """

    kind: Kind
    keys: Keys
    back: Keys

    @property
    def number(self) -> int:
        """The number of the step, from 1 to 3; a resumed step is the last."""
        return {"accept": 1, "change-over": 2}.get(self.kind, 3)

    @property
    def title(self) -> str:
        """What the step does, as a sentence without a period."""
        keys = self.keys
        if self.kind == "accept":
            new, old = max(keys.accepted), keys.in_use
            return f"the service accepts generation {new} beside generation {old}"
        if self.kind == "change-over":
            return f"the clients use generation {keys.in_use}"
        if self.kind == "drop":
            return f"the service accepts only generation {keys.in_use}"
        return f"the stack is deployed with {keys}"


def steps(
    keys: Keys, deployed: Collection[int], *, finish: bool, in_some: Collection[int] = ()
) -> tuple[RotationStep, ...]:
    """Compute the next steps. A step that is already in the configuration is repeated.

    An interrupted step may not have finished, and an `up` without changes costs little.

    Args:
        keys: the generations in the configuration.
        deployed: the generations whose key is in the state.
        finish: whether to drop the old key instead of adding a new one.
        in_some: generations whose key is in the state of some of a fleet's stacks.

    Raises:
        RolloutError: the stack is not deployed, or the old key cannot be dropped yet.
    """
    if not deployed:
        raise RolloutError("the stack has no API key yet", remedy="Deploy it: flowflare up")
    carried = keys.in_use if keys.in_use in deployed else _find_usable(keys, deployed)
    newest = max(keys.accepted)
    if carried != newest:
        if finish:
            raise RolloutError(
                f"the clients still use generation {carried}, so it cannot be dropped",
                remedy="First run: flowflare secrets rotate",
            )
        offered = Keys(keys.accepted, carried)
        return (RotationStep("accept", offered, Keys((carried,), carried)), _change_over(offered))
    if keys.others:
        again = RotationStep("change-over", keys, Keys(keys.accepted, max(keys.others)))
        drop = RotationStep("drop", Keys((keys.in_use,), keys.in_use), keys)
        return (again, drop) if finish else (again,)
    forgotten = sorted({*deployed, *in_some} - {keys.in_use}, reverse=True)
    if forgotten:
        return (RotationStep("resume", keys, Keys((keys.in_use, *forgotten), keys.in_use)),)
    if finish:
        return ()
    offered = Keys((newest + 1, keys.in_use), keys.in_use)
    return (RotationStep("accept", offered, keys), _change_over(offered))


def _find_usable(keys: Keys, deployed: Collection[int]) -> int:
    """Find the newest accepted generation that callers can already have."""
    usable = set(keys.accepted) & set(deployed)
    if usable:
        return max(usable)
    held = max(deployed)
    raise RolloutError(
        f"callers use generation {held}, but the configuration accepts only "
        f"{', '.join(map(str, keys.accepted))}: one `up` would lock them out",
        remedy=f"Write {Keys((held,), held)}, then run: flowflare secrets rotate",
    )


def _change_over(keys: Keys) -> RotationStep:
    return RotationStep("change-over", Keys(keys.accepted, max(keys.accepted)), keys)


def generation_of(resource_name: str) -> int:
    """Return the generation of the API key in a resource's name."""
    match = re.search(r"-api-key-([1-9][0-9]*)$", resource_name)
    return int(match.group(1)) if match else 1
