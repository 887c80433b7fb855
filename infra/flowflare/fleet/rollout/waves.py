"""Plan the waves of a rollout, without I/O: a canary, then a share, then the rest.

A size says how many tenants are done after a wave: a count, or a share of all tenants of the
rollout. Tenants that an interrupted rollout has deployed count, so a resumed rollout continues in
the wave in which it stopped.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from flowflare.fleet.tenants.model import WaveSize

_SHARE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
Trouble = Literal["", "running", "failed", "unhealthy"]


@dataclass(frozen=True)
class Candidate:
    """A tenant whose inputs have changed since its last run.

    Attributes:
        trouble: the outcome of an earlier run that did not succeed; otherwise empty.
        suspended: whether it has no traffic, so that deploying it proves little.
    """

    name: str
    canary: bool = False
    trouble: Trouble = ""
    suspended: bool = False


@dataclass(frozen=True)
class Wave:
    """The tenants of a rollout that are deployed together.

    Attributes:
        number: its number among the rollout's waves, from 1.
        tenants: its tenants, in the order in which they begin.
    """

    number: int
    of: int
    tenants: tuple[str, ...]

    @property
    def is_canary(self) -> bool:
        """Whether it is the first of several waves, so that a failure in it stops the others."""
        return self.number == 1 and self.of > 1


def plan_waves(
    candidates: Sequence[Candidate], sizes: Sequence[WaveSize], *, done: int = 0
) -> tuple[Wave, ...]:
    """Assign tenants to waves.

    Tagged canaries come first, unless the rollout has deployed a tenant already. Tenants that an
    earlier run left failed, unhealthy or running come next, then the others by name, and suspended
    tenants last. The first wave contains all tagged canaries, even if its size is smaller. Tenants
    that no size covers form a last wave.

    Args:
        candidates: the tenants to deploy, in any order.
        sizes: how many tenants are done by the end of each wave.
        done: how many tenants an interrupted run of this rollout has deployed; they count first.

    Raises:
        ValueError: a size is neither a positive count nor a share of 1% to 100%.
    """
    ordered = sorted(candidates, key=lambda tenant: _order(tenant, fresh=not done))
    total = done + len(ordered)
    canaries = 0 if done else sum(tenant.canary and not tenant.suspended for tenant in ordered)
    targets = _compute_targets(sizes, total, canaries)
    waves, through = [], done
    for number, target in enumerate(targets, 1):
        part = ordered[through - done : target - done] if target > through else []
        if part:
            waves.append(Wave(number, len(targets), tuple(tenant.name for tenant in part)))
            through = target
    return tuple(waves)


def _order(tenant: Candidate, *, fresh: bool) -> tuple[bool, bool, bool, str]:
    canary = tenant.canary and not tenant.suspended and fresh
    return (not canary, not tenant.trouble, tenant.suspended, tenant.name)


def _compute_targets(sizes: Sequence[WaveSize], total: int, canaries: int) -> list[int]:
    """Compute how many tenants are done by the end of each wave, without empty waves."""
    targets: list[int] = []
    for size in sizes:
        before = targets[-1] if targets else 0
        target = min(_read_size(size, total), total)
        if not targets:
            target = max(target, canaries)
        if target > before:
            targets.append(target)
    if total > (targets[-1] if targets else 0):
        targets.append(total)
    return targets


def _read_size(size: WaveSize, total: int) -> int:
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    match = _SHARE.fullmatch(size) if isinstance(size, str) else None
    share = float(match.group(1)) if match else 0.0
    if not 0 < share <= 100:
        message = f"{size!r} is not a wave size: write a count such as 1, or a share such as 10%"
        raise ValueError(message)
    # In floating point, 7% of 100 is 7.000000000000001.
    return max(math.ceil(round(share * total / 100, 6)), 1)
