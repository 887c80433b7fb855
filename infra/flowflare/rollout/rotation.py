"""Computes the steps of rotating a stack's API key from its configuration and state; pure.

Clients are deployed before the service, so no single `up` can give both a new key without a moment
in which one has it and the other has not. Three can: the service accepts the new key and the old
one, the clients change over, the service forgets the old one. Each is a change of two keys of the
configuration, and the configuration is all that a rotation remembers of itself.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from flowflare.errors import RolloutError

ACCEPTED_KEY = "flowflare:apiKeys"
IN_USE_KEY = "flowflare:apiKeyInUse"
#: What a step is for; `resume` brings the stack to what an interrupted last step has written.
Kind = Literal["resume", "accept", "change-over", "drop"]


@dataclass(frozen=True)
class Keys:
    """The generations of the API key as the configuration has them.

    Attributes:
        accepted: those that the service accepts.
        in_use: the one that the clients carry and the stack's outputs tell.
    """

    accepted: tuple[int, ...] = (1,)
    in_use: int = 1

    @property
    def others(self) -> tuple[int, ...]:
        """Those that are accepted and not in use."""
        return tuple(one for one in self.accepted if one != self.in_use)

    @property
    def configuration(self) -> dict[str, int | list[int]]:
        """Full keys of the configuration and their values."""
        return {ACCEPTED_KEY: list(self.accepted), IN_USE_KEY: self.in_use}

    def __str__(self) -> str:
        return f"{ACCEPTED_KEY}: {list(self.accepted)}, {IN_USE_KEY}: {self.in_use}"


@dataclass(frozen=True)
class Step:
    """One `up` of a rotation.

    Attributes:
        kind: what it is for.
        keys: what the configuration says when it runs.
        back: what to write to go back to before it.
    """

    kind: Kind
    keys: Keys
    back: Keys

    @property
    def number(self) -> int:
        """Which of the three it is; the last one for one that is resumed."""
        return {"accept": 1, "change-over": 2}.get(self.kind, 3)

    @property
    def title(self) -> str:
        """What it does, as a sentence without its end."""
        keys = self.keys
        if self.kind == "accept":
            new, old = max(keys.accepted), keys.in_use
            return f"the service accepts generation {new} beside generation {old}"
        if self.kind == "change-over":
            return f"the clients carry generation {keys.in_use}"
        if self.kind == "drop":
            return f"the service accepts generation {keys.in_use} alone"
        return f"the stack is brought to {keys}"


def steps(keys: Keys, deployed: Collection[int], *, finish: bool) -> tuple[Step, ...]:
    """What is to be done now; a step that the configuration has already is in it again.

    Nobody knows whether an interrupted step came to its end, and an `up` that changes nothing
    costs little.

    Args:
        keys: what the configuration says.
        deployed: generations of which the state has a key.
        finish: whether the old key is dropped, instead of a new one being brought in.

    Raises:
        RolloutError: the stack is not up, or there is nothing yet that could be finished.
    """
    if not deployed:
        raise RolloutError("the stack has no API key yet", remedy="Bring it up: flowflare up")
    carried = keys.in_use if keys.in_use in deployed else _deployed_of(keys, deployed)
    newest = max(keys.accepted)
    if carried != newest:
        if finish:
            raise RolloutError(
                f"the clients carry generation {carried} still, so it cannot be dropped",
                remedy="First: flowflare secrets rotate",
            )
        offered = Keys(keys.accepted, carried)
        return (Step("accept", offered, Keys((carried,), carried)), _change_over(offered))
    if keys.others:
        again = Step("change-over", keys, Keys(keys.accepted, max(keys.others)))
        drop = Step("drop", Keys((keys.in_use,), keys.in_use), keys)
        return (again, drop) if finish else (again,)
    if set(deployed) != {keys.in_use}:
        forgotten = sorted(set(deployed) - {keys.in_use}, reverse=True)
        return (Step("resume", keys, Keys((keys.in_use, *forgotten), keys.in_use)),)
    if finish:
        return ()
    offered = Keys((newest + 1, keys.in_use), keys.in_use)
    return (Step("accept", offered, keys), _change_over(offered))


def _deployed_of(keys: Keys, deployed: Collection[int]) -> int:
    """The newest of the accepted generations that callers can hold by now."""
    usable = set(keys.accepted) & set(deployed)
    if usable:
        return max(usable)
    held = max(deployed)
    raise RolloutError(
        f"callers hold generation {held}, and the configuration accepts "
        f"{', '.join(map(str, keys.accepted))} alone: one `up` would lock them out",
        remedy=f"Write {Keys((held,), held)}, then: flowflare secrets rotate",
    )


def _change_over(keys: Keys) -> Step:
    return Step("change-over", Keys(keys.accepted, max(keys.accepted)), keys)


def generation_of(resource_name: str) -> int:
    """The generation of the API key that a resource of that name is."""
    match = re.search(r"-api-key-([1-9][0-9]*)$", resource_name)
    return int(match.group(1)) if match else 1
