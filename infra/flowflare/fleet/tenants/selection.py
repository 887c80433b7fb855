"""Chooses tenants of an environment: by name, by tag, by shard."""

import hashlib
from dataclasses import dataclass

from flowflare.config.problems import nearest
from flowflare.errors import FleetError
from flowflare.fleet.tenants.model import Fleet, Tenant


@dataclass(frozen=True)
class Selection:
    """Which tenants a command is for; each condition narrows what the others leave.

    Attributes:
        tenants: names; empty for all.
        tags: a tenant has at least one of them; empty for all.
        shard: `(3, 8)` is the third of eight parts, None for all.
        changed: only tenants whose inputs are not those last applied. `select` cannot tell: whoever
            has the fingerprints leaves the others out.
    """

    tenants: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    shard: tuple[int, int] | None = None
    changed: bool = False


def shard_of(tenant: str, shards: int) -> int:
    """The shard of a tenant, from 1 on; it depends on the name and on nothing else."""
    digest = hashlib.sha256(tenant.encode()).digest()
    return int.from_bytes(digest[:8]) % shards + 1


def parse_shard(text: str) -> tuple[int, int]:
    """Reads `3/8`.

    Raises:
        FleetError: it is not of that form, or there is no such shard.
    """
    first, slash, second = text.partition("/")
    if slash and first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second):
        return int(first), int(second)
    remedy = "Write the shard's number and how many there are: --shard 3/8"
    raise FleetError(f"{text!r} is no shard", remedy=remedy)


def select(fleet: Fleet, environment: str, selection: Selection) -> tuple[Tenant, ...]:
    """The tenants of an environment that a selection means, sorted by name, whatever their status.

    Raises:
        FleetError: there is no such environment, tenant or tag.
    """
    known = [one.name for one in fleet.environments]
    if environment not in known:
        message = f"{fleet.file} has no environment `{environment}`"
        raise FleetError(message, remedy=nearest(environment, known, "Environments"))
    here = fleet.tenants_in(environment)
    _refuse_unknown(fleet, environment, here, selection)
    return tuple(one for one in here if _is_meant(one, selection))


def _is_meant(tenant: Tenant, selection: Selection) -> bool:
    if selection.tenants and tenant.name not in selection.tenants:
        return False
    if selection.tags and not set(selection.tags) & set(tenant.tags):
        return False
    shard = selection.shard
    return shard is None or shard_of(tenant.name, shard[1]) == shard[0]


def _refuse_unknown(
    fleet: Fleet, environment: str, here: tuple[Tenant, ...], selection: Selection
) -> None:
    names = {one.name for one in here}
    everywhere = {one.name for one in fleet.tenants}
    for name in selection.tenants:
        if name in names:
            continue
        if name in everywhere:
            message = f"tenant `{name}` is not in environment `{environment}`"
            raise FleetError(message, remedy=f"{fleet.file} says where it is.")
        message = f"{fleet.file} has no tenant `{name}`"
        raise FleetError(message, remedy=nearest(name, names, "Tenants"))
    tags = {tag for one in here for tag in one.tags}
    for tag in selection.tags:
        if tag not in tags:
            message = f"no tenant in environment `{environment}` has the tag `{tag}`"
            raise FleetError(message, remedy=nearest(tag, tags, "Tags"))
