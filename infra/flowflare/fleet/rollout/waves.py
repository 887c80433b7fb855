"""Plans the waves of a rollout: a canary, then a share, then the rest; pure.

A size says how many tenants are through after a wave: a count, or a share of all that the rollout
brings up. What an interrupted rollout has done counts, so that one which is run again goes on in
the wave in which it stopped.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

#: `5`, so many tenants, or `"10%"`, that share of all.
Size = int | str
_SHARE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
Left = Literal["", "running", "failed", "unhealthy"]


@dataclass(frozen=True)
class Candidate:
    """A tenant whose stack is not as its inputs say.

    Attributes:
        name: the tenant's name.
        canary: whether it has the tag `canary`.
        left: how an earlier run left it, where that was not well.
        suspended: whether nobody uses it, so that it proves little.
    """

    name: str
    canary: bool = False
    left: Left = ""
    suspended: bool = False


@dataclass(frozen=True)
class Wave:
    """Tenants that are brought up at the same time.

    Attributes:
        number: its place among the rollout's waves, from 1 on.
        of: how many waves the rollout has.
        tenants: who is in it, in the order in which they begin.
    """

    number: int
    of: int
    tenants: tuple[str, ...]

    @property
    def is_canary(self) -> bool:
        """Whether it is the first of several: what fails in it never reaches the others."""
        return self.number == 1 and self.of > 1


def plan_waves(
    candidates: Sequence[Candidate], sizes: Sequence[Size], *, done: int = 0
) -> tuple[Wave, ...]:
    """Who comes in which wave.

    First are the tagged canaries, until a tenant is through; then who was left failed, unhealthy or
    running; then the others by name, suspended ones last. All tagged canaries are in the first
    wave, however many it takes otherwise. What the sizes leave over is a last wave.

    Args:
        candidates: who is to be brought up, in any order.
        sizes: how many tenants are through after each wave.
        done: how many tenants an interrupted run of this rollout brought up; they count as the
            first.

    Raises:
        ValueError: a size is neither a positive count nor a share of 1% to 100%.
    """
    ordered = sorted(candidates, key=lambda one: _order(one, fresh=not done))
    total = done + len(ordered)
    canaries = 0 if done else sum(one.canary and not one.suspended for one in ordered)
    targets = _targets(sizes, total, canaries)
    waves, through = [], done
    for number, target in enumerate(targets, 1):
        part = ordered[through - done : target - done] if target > through else []
        if part:
            waves.append(Wave(number, len(targets), tuple(one.name for one in part)))
            through = target
    return tuple(waves)


def _order(one: Candidate, *, fresh: bool) -> tuple[bool, bool, bool, str]:
    canary = one.canary and not one.suspended and fresh
    return (not canary, not one.left, one.suspended, one.name)


def _targets(sizes: Sequence[Size], total: int, canaries: int) -> list[int]:
    """How many tenants are through after each wave; every wave has some of its own."""
    targets: list[int] = []
    for size in sizes:
        before = targets[-1] if targets else 0
        target = min(_target(size, total), total)
        if not targets:
            target = max(target, canaries)
        if target > before:
            targets.append(target)
    if total > (targets[-1] if targets else 0):
        targets.append(total)
    return targets


def _target(size: Size, total: int) -> int:
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    match = _SHARE.fullmatch(size) if isinstance(size, str) else None
    share = float(match.group(1)) if match else 0.0
    if not 0 < share <= 100:
        raise ValueError(f"{size!r} is no size of a wave: a count such as 1, a share such as 10%")
    # 7% of 100 are 7, which floats make 7.000000000000001.
    return max(math.ceil(round(share * total / 100, 6)), 1)
