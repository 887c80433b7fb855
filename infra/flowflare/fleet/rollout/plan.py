"""What a rollout has to do: who is pending, in which waves, and whether it goes on; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flowflare.fleet.rollout.waves import Candidate, Left, Wave, plan_waves
from flowflare.fleet.tenants.model import Environment, Tenant, stack_of

if TYPE_CHECKING:
    from flowflare.fleet.records import Fingerprint, TenantRecord

#: The tag of tenants that come first.
CANARY = "canary"
_TROUBLE = ("running", "failed", "unhealthy")


@dataclass(frozen=True)
class Work:
    """One tenant that is to be brought up.

    Attributes:
        tenant: its name.
        stack: its stack.
        fingerprint: of its inputs as they are now.
        suspended: whether it is to be switched off.
        before: what is known of its last run.
    """

    tenant: str
    stack: str
    fingerprint: "Fingerprint"
    suspended: bool = False
    before: "TenantRecord | None" = None

    @property
    def applied(self) -> "Fingerprint | None":
        """The inputs last applied whole, as far as that is known."""
        before = self.before
        return before.fingerprint if before and before.outcome not in _TROUBLE else None


@dataclass(frozen=True)
class RolloutPlan:
    """What a rollout has to do.

    Attributes:
        rollout: its id.
        environment: the environment.
        resumed: whether it goes on where it was interrupted.
        waves: who is brought up, in which order.
        works: the tenants of the waves, by name.
        through: those that this rollout brought up before it was interrupted.
        unchanged: those that are as they should be, and were before this rollout.
    """

    rollout: str
    environment: str
    resumed: bool
    waves: tuple[Wave, ...]
    works: Mapping[str, Work]
    through: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def plan_rollout(
    tenants: Sequence[Tenant],
    environment: Environment,
    fingerprints: Mapping[str, "Fingerprint"],
    records: Mapping[str, "TenantRecord"],
    rollout: str,
) -> RolloutPlan:
    """Compares what tenants should be with what is recorded of them.

    A tenant is as it should be if it was brought up with the fingerprint that it has now and was
    healthy. What else is recorded, or nothing, makes it pending. An interrupted rollout goes on:
    those that it brought up with today's inputs count as done in its waves. Where code changed
    since, nobody does, so that there is a canary again.

    Args:
        tenants: the active and suspended tenants that are selected.
        environment: the environment.
        fingerprints: of their inputs as they are now, by stack.
        records: what is known, by stack.
        rollout: the id of the interrupted rollout, else a new one.
    """
    works: dict[str, Work] = {}
    through, unchanged = [], []
    for tenant in tenants:
        stack = stack_of(tenant.name, environment.name)
        record = records.get(stack)
        if record is None or not record.holds(fingerprints[stack]):
            suspended = tenant.status == "suspended"
            works[tenant.name] = Work(
                tenant.name, stack, fingerprints[stack], suspended=suspended, before=record
            )
        elif record.rollout == rollout:
            through.append(tenant.name)
        else:
            unchanged.append(tenant.name)
    asked = [_candidate(one, works[one.name]) for one in tenants if one.name in works]
    begun = any(one.before and one.before.rollout == rollout for one in works.values())
    return RolloutPlan(
        rollout=rollout,
        environment=environment.name,
        resumed=begun or bool(through),
        waves=plan_waves(asked, environment.waves, done=len(through)),
        works=works,
        through=tuple(sorted(through)),
        unchanged=tuple(sorted(unchanged)),
    )


def _candidate(tenant: Tenant, work: Work) -> Candidate:
    outcome = work.before.outcome if work.before else ""
    left = cast(Left, outcome if outcome in _TROUBLE else "")
    return Candidate(tenant.name, CANARY in tenant.tags, left, work.suspended)
