"""Says of each tenant of an environment where it is: what its record, lease and files tell.

Nobody is called, no secret opened and no program run, so a thousand tenants take seconds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from pydantic import Field

from flowflare.fleet.fingerprint.fingerprints import fingerprints
from flowflare.fleet.pending import reason
from flowflare.model.frozen import Frozen
from flowflare.review.document import make_schema
from flowflare.state.lease import held_now

if TYPE_CHECKING:
    from flowflare.fleet.records import Fingerprint, TenantRecord
    from flowflare.fleet.session import Session
    from flowflare.state.lease import Lease

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
#: The states in the order in which they are shown: what needs somebody first.
STATES: Final[tuple[State, ...]] = get_args(State)
#: Where nothing is to be done.
SETTLED: Final = frozenset({"applied", "suspended", "retired"})


class TenantStatus(Frozen):
    """Where one tenant is."""

    tenant: str = Field(description="The tenant.")
    stack: str = Field(description="Its stack.")
    state: State = Field(
        description="`applied`: as its files say; `changed`: its files say something else now; "
        "`never` applied; `failed`: its last run was; `unhealthy` after it; `running` now, see "
        "`by`; `interrupted`: its last run has not ended, and nobody works on it; `suspended`: "
        "switched off, as its files say; `leaving`: to be retired, and still there; `retired`: "
        "taken away; `unlisted`: there, and not in the fleet's file any more."
    )
    why: str = Field(default="", description="What makes it so, a few words; empty where plain.")
    by: str = Field(default="", description="Who works on it now: user, host, process, since when.")
    release: str = Field(default="", description="The release of Flowflare that ran last.")
    at: str = Field(default="", description="When its last run ended or began; RFC 3339 in UTC.")
    seconds: float = Field(default=0.0, description="How long that took.")
    api_calls: int = Field(default=0, description="Requests to Cloudflare's API that it made.")
    rollout: str = Field(default="", description="The rollout that it ran in.")
    wave: int = Field(default=0, description="The wave; 0 for none.")
    tags: tuple[str, ...] = Field(default=(), description="The tenant's tags.")


class FleetStatus(Frozen):
    """Where the tenants of an environment are.

    New keys may come within a format; none changes its meaning or goes.
    """

    format: Literal[1] = Field(description="Version of this document's form.")
    flowflare: str = Field(description="The release of Flowflare that made it.")
    project: str = Field(description="The Pulumi project's name.")
    environment: str = Field(description="The environment.")
    counts: Mapping[str, int] = Field(description="How many tenants are in which state.")
    tenants: tuple[TenantStatus, ...] = Field(
        description="The tenants: those that need somebody first, then by name."
    )


def status(session: "Session", *, all_tenants: bool = True) -> FleetStatus:
    """Looks where tenants are.

    Args:
        session: which ones.
        all_tenants: whether stacks count, too, that are known and in the fleet's file no more.

    Raises:
        StateError: the state backend cannot be read.
        NodeError: a Worker has changed and must be bundled, and Node cannot run.
    """
    records = session.records.all()
    listed = {session.stack(one): one for one in session.tenants}
    known = {session.stack(one) for one in session.fleet.tenants}
    stacks = [stack for stack, one in listed.items() if one.status != "retired"]
    now = fingerprints(session.root, stacks, session.environ)
    unlisted = {one for one in records if one not in known} if all_tenants else set()
    leases = held_now(session.store, session.project, [*listed, *unlisted])
    found = []
    for stack in (*listed, *sorted(unlisted)):
        tenant, record = listed.get(stack), records.get(stack)
        if tenant is not None and tenant.status == "retired":
            stands = session.stands(tenant, records)
            state, why = _GOING if stands else _GONE
        elif tenant is not None:
            state, why = _state(record, now[stack])
        elif records[stack].outcome in ("retired", "destroyed"):
            continue
        else:
            state, why = "unlisted", f"last run: {records[stack].outcome}"
        found.append(_told(session, stack, state, why, record, leases.get(stack)))
    return document(session, found)


def document(session: "Session", tenants: Sequence[TenantStatus]) -> FleetStatus:
    """The document of some tenants, in its order."""
    tags = {session.stack(one): one.tags for one in session.tenants}
    ordered = sorted(tenants, key=lambda one: (STATES.index(one.state), one.tenant))
    counts = Counter(one.state for one in ordered)
    return FleetStatus(
        format=FORMAT,
        flowflare=version("flowflare"),
        project=session.project,
        environment=session.environment.name,
        counts={state: counts[state] for state in STATES if counts[state]},
        tenants=tuple(one.model_copy(update={"tags": tags.get(one.stack, ())}) for one in ordered),
    )


_GOING: Final[tuple[State, str]] = ("leaving", "retired in the file, and its stack stands")
_GONE: Final[tuple[State, str]] = ("retired", "")


def _state(record: "TenantRecord | None", now: "Fingerprint") -> tuple[State, str]:
    """Where a tenant is that is to be there, and why."""
    if record is None:
        return "never", now.unknown[0] if now.unknown else ""
    if record.outcome == "running":
        return "interrupted", "its last run was killed, or still comes to its end"
    if record.outcome in ("failed", "unhealthy"):
        first = record.error.strip().splitlines()[:1]
        return ("failed" if record.outcome == "failed" else "unhealthy"), "".join(first)
    if record.outcome in ("destroyed", "retired"):
        return "never", f"was {record.outcome}"
    why = reason(now, record)
    if why:
        return "changed", why.removeprefix("changed: ")
    return ("suspended" if record.outcome == "suspended" else "applied"), ""


def _told(
    session: "Session",
    stack: str,
    state: State,
    why: str,
    record: "TenantRecord | None",
    lease: "Lease | None",
) -> TenantStatus:
    told = TenantStatus(
        tenant=stack.removesuffix(f"-{session.environment.name}"),
        stack=stack,
        state=state if lease is None else "running",
        why=why if lease is None else "",
        by="" if lease is None else str(lease.holder),
    )
    if record is None:
        return told
    fields = ("release", "at", "seconds", "api_calls", "rollout", "wave")
    return told.model_copy(update={name: getattr(record, name) for name in fields})


def json_schema() -> dict[str, Any]:
    """The document's JSON Schema."""
    return make_schema(FleetStatus, "flowflare fleet status --json")
