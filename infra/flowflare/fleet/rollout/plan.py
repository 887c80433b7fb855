"""Plan a rollout, without I/O: the pending tenants, their waves, and whether it is resumed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from flowflare.fleet.records import Fingerprint, TenantRecord
from flowflare.fleet.rollout.waves import Candidate, Trouble, Wave, plan_waves
from flowflare.fleet.tenants.model import Environment, Tenant, stack_of

#: The tag of tenants that are deployed first.
CANARY = "canary"
_TROUBLE = ("running", "failed", "unhealthy")


@dataclass(frozen=True)
class TenantUpdate:
    """One tenant that will be deployed.

    Attributes:
        fingerprint: the fingerprint of its inputs as they are now.
    """

    tenant: str
    stack: str
    fingerprint: Fingerprint
    suspended: bool = False
    before: TenantRecord | None = None

    @property
    def last_applied(self) -> Fingerprint | None:
        """The fingerprint that was last applied completely, if known."""
        before = self.before
        return before.fingerprint if before and before.outcome not in _TROUBLE else None


@dataclass(frozen=True)
class RolloutPlan:
    """The plan of a rollout.

    Attributes:
        waves: the waves of tenants, in order.
        updates: the tenants of the waves, by name.
        through: tenants that this rollout deployed before it was interrupted.
        unchanged: tenants that had been deployed with their present inputs before this rollout.
    """

    rollout: str
    environment: str
    resumed: bool
    waves: tuple[Wave, ...]
    updates: Mapping[str, TenantUpdate]
    through: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def plan_rollout(
    tenants: Sequence[Tenant],
    environment: Environment,
    fingerprints: Mapping[str, Fingerprint],
    records: Mapping[str, TenantRecord],
    rollout: str,
) -> RolloutPlan:
    """Compare the inputs of tenants with their records.

    A tenant is unchanged if it was deployed with its present fingerprint and was healthy. With any
    other record, or without one, it is pending. A resumed rollout counts the tenants that it has
    deployed with the present inputs as done in its waves. If code has changed since, no tenant
    counts as done, so the first wave is a canary again.

    Args:
        tenants: the selected tenants that are active or suspended.
        fingerprints: the fingerprints of their inputs as they are now, by stack.
        rollout: the ID of the interrupted rollout, or a new ID.
    """
    updates: dict[str, TenantUpdate] = {}
    through, unchanged = [], []
    for tenant in tenants:
        stack = stack_of(tenant.name, environment.name)
        record = records.get(stack)
        if record is None or not record.holds(fingerprints[stack]):
            suspended = tenant.status == "suspended"
            updates[tenant.name] = TenantUpdate(
                tenant.name, stack, fingerprints[stack], suspended=suspended, before=record
            )
        elif record.rollout == rollout:
            through.append(tenant.name)
        else:
            unchanged.append(tenant.name)
    candidates = [
        _make_candidate(tenant, updates[tenant.name])
        for tenant in tenants
        if tenant.name in updates
    ]
    begun = any(update.before and update.before.rollout == rollout for update in updates.values())
    return RolloutPlan(
        rollout=rollout,
        environment=environment.name,
        resumed=begun or bool(through),
        waves=plan_waves(candidates, environment.waves, done=len(through)),
        updates=updates,
        through=tuple(sorted(through)),
        unchanged=tuple(sorted(unchanged)),
    )


def _make_candidate(tenant: Tenant, update: TenantUpdate) -> Candidate:
    outcome = update.before.outcome if update.before else ""
    trouble = cast(Trouble, outcome if outcome in _TROUBLE else "")
    return Candidate(tenant.name, CANARY in tenant.tags, trouble, update.suspended)
