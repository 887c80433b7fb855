"""Report the state of each tenant of an environment, from its record, its lease and its files.

No API is called, no secret is decrypted and no program is run, so a thousand tenants take seconds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final, Literal, get_args

from pydantic import Field

from flowflare.fleet.fingerprint.fingerprints import make_fingerprints
from flowflare.fleet.pending import explain
from flowflare.fleet.records import Fingerprint, TenantRecord
from flowflare.fleet.session import FleetSession
from flowflare.model.frozen import Frozen
from flowflare.state.lease import Lease, list_held

FORMAT: Final = 1
State = Literal[
    "failed",
    "unhealthy",
    "interrupted",
    "running",
    "leaving",
    "unlisted",
    "changed",
    "never",
    "suspended",
    "applied",
    "retired",
]
#: The states in the order in which they are printed: tenants that need attention come first.
STATES: Final[tuple[State, ...]] = get_args(State)
#: States that need no action.
SETTLED: Final = frozenset({"applied", "suspended", "retired"})


class TenantStatus(Frozen):
    """The status of one tenant."""

    tenant: str = Field(description="The tenant.")
    stack: str = Field(description="Its stack.")
    state: State = Field(
        description="`applied`: deployed as its files say; `changed`: its files have changed since "
        "the last run; `never`: not applied yet; `failed`: the last run failed; `unhealthy`: the "
        "last run succeeded, but the service was not healthy; `running`: a run is in progress, see "
        "`by`; `interrupted`: the last run was killed, or is about to end; `suspended`: switched "
        "off, as its files say; `leaving`: retired in its files, but not removed yet; `retired`: "
        "removed; `unlisted`: deployed, but no longer in the fleet's file."
    )
    why: str = Field(default="", description="The reason in a few words; empty if it is obvious.")
    by: str = Field(default="", description="Who runs it now: user, host, process, and since when.")
    release: str = Field(default="", description="The release of Flowflare of the last run.")
    at: str = Field(default="", description="When the last run ended or began; RFC 3339 in UTC.")
    seconds: float = Field(default=0.0, description="How long the last run took.")
    api_calls: int = Field(default=0, description="Requests to Cloudflare's API by the last run.")
    rollout: str = Field(default="", description="The rollout of the last run.")
    wave: int = Field(default=0, description="The wave of the last run; 0 without a wave.")
    tags: tuple[str, ...] = Field(default=(), description="The tenant's tags.")


class FleetStatus(Frozen):
    """The status of the tenants of an environment.

    New keys may be added within a format. Existing keys are not removed and keep their meaning.
    """

    format: Literal[1] = Field(description="The version of this document's format.")
    flowflare: str = Field(description="The release of Flowflare that made this document.")
    project: str = Field(description="The Pulumi project's name.")
    environment: str = Field(description="The environment.")
    counts: Mapping[str, int] = Field(description="The number of tenants in each state.")
    tenants: tuple[TenantStatus, ...] = Field(
        description="The tenants: those that need attention first, then by name."
    )


def read_status(session: FleetSession, *, all_tenants: bool = True) -> FleetStatus:
    """Read the status of the selected tenants.

    Args:
        all_tenants: whether to include stacks that have a record but are no longer in the fleet's
            file.

    Raises:
        StateError: the state backend cannot be read.
        NodeError: a Worker has changed and must be bundled, but Node cannot run.
    """
    records = session.records.read_all()
    listed = {session.stack(tenant): tenant for tenant in session.tenants}
    known = {session.stack(tenant) for tenant in session.fleet.tenants}
    stacks = [stack for stack, tenant in listed.items() if tenant.status != "retired"]
    now = make_fingerprints(session, stacks, session.environ)
    unlisted = {stack for stack in records if stack not in known} if all_tenants else set()
    leases = list_held(session.store, session.project, [*listed, *unlisted])
    found = []
    for stack in (*listed, *sorted(unlisted)):
        tenant, record = listed.get(stack), records.get(stack)
        if tenant is not None and tenant.status == "retired":
            state, why = _LEAVING if session.may_have_resources(tenant, records) else _RETIRED
        elif tenant is not None:
            state, why = _find_state(record, now[stack])
        elif records[stack].outcome in ("retired", "destroyed"):
            continue
        else:
            state, why = "unlisted", f"last run: {records[stack].outcome}"
        lease = leases.get(stack)
        found.append(_describe_tenant(session, stack, state, why, record, lease))
    return make_document(session, found)


def make_document(session: FleetSession, tenants: Sequence[TenantStatus]) -> FleetStatus:
    """Sort tenants and make the document of `--json`."""
    tags = {session.stack(tenant): tenant.tags for tenant in session.tenants}
    ordered = sorted(tenants, key=lambda tenant: (STATES.index(tenant.state), tenant.tenant))
    counts = Counter(tenant.state for tenant in ordered)
    return FleetStatus(
        format=FORMAT,
        flowflare=version("flowflare"),
        project=session.project,
        environment=session.environment.name,
        counts={state: counts[state] for state in STATES if counts[state]},
        tenants=tuple(
            tenant.model_copy(update={"tags": tags.get(tenant.stack, ())}) for tenant in ordered
        ),
    )


_LEAVING: Final[tuple[State, str]] = ("leaving", "retired in the file, but its stack still exists")
_RETIRED: Final[tuple[State, str]] = ("retired", "")


def _find_state(record: TenantRecord | None, now: Fingerprint) -> tuple[State, str]:
    """Return the state of a tenant that should be up or suspended, and the reason."""
    if record is None:
        return "never", now.unknown[0] if now.unknown else ""
    if record.outcome == "running":
        return "interrupted", "its last run was killed, or is about to end"
    if record.outcome in ("failed", "unhealthy"):
        first = record.error.strip().splitlines()[:1]
        return ("failed" if record.outcome == "failed" else "unhealthy"), "".join(first)
    if record.outcome in ("destroyed", "retired"):
        return "never", f"was {record.outcome}"
    why = explain(now, record)
    if why:
        return "changed", why.removeprefix("changed: ")
    return ("suspended" if record.outcome == "suspended" else "applied"), ""


def _describe_tenant(
    session: FleetSession,
    stack: str,
    state: State,
    why: str,
    record: TenantRecord | None,
    lease: Lease | None,
) -> TenantStatus:
    described = TenantStatus(
        tenant=stack.removesuffix(f"-{session.environment.name}"),
        stack=stack,
        state=state if lease is None else "running",
        why=why if lease is None else "",
        by="" if lease is None else str(lease.holder),
    )
    if record is None:
        return described
    fields = ("release", "at", "seconds", "api_calls", "rollout", "wave")
    return described.model_copy(update={name: getattr(record, name) for name in fields})
