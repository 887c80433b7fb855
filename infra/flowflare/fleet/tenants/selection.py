"""Select tenants of an environment by name, tag and shard."""

import hashlib
from dataclasses import dataclass

from flowflare.config.problems import nearest
from flowflare.errors import FleetError
from flowflare.fleet.tenants.model import Fleet, Tenant


@dataclass(frozen=True)
class Selection:
    """A selection of tenants, which must meet all conditions.

    Attributes:
        tenants: names; empty for all.
        tags: tags of which a tenant must have at least one; empty for all.
        shard: `(3, 8)` is the third of eight parts; None for all.
        changed: only tenants whose inputs have changed. `select` ignores it, because it has no
            fingerprints; the caller filters.
    """

    tenants: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    shard: tuple[int, int] | None = None
    changed: bool = False


def shard_of(tenant: str, shards: int) -> int:
    """Return a tenant's shard, from 1. It depends only on the name."""
    digest = hashlib.sha256(tenant.encode()).digest()
    return int.from_bytes(digest[:8]) % shards + 1


def parse_shard(text: str) -> tuple[int, int]:
    """Parse a shard such as `3/8`.

    Raises:
        FleetError: the text has another form, or the shard does not exist.
    """
    first, slash, second = text.partition("/")
    if slash and first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second):
        return int(first), int(second)
    remedy = "Write the shard's number and the number of shards: --shard 3/8"
    raise FleetError(f"{text!r} is not a shard", remedy=remedy)


def select(fleet: Fleet, environment: str, selection: Selection) -> tuple[Tenant, ...]:
    """Select tenants of an environment, with any status, sorted by name.

    Raises:
        FleetError: the environment, a tenant or a tag does not exist.
    """
    known = [known.name for known in fleet.environments]
    if environment not in known:
        message = f"{fleet.file} has no environment `{environment}`"
        raise FleetError(message, remedy=nearest(environment, known, "Environments"))
    here = fleet.tenants_in(environment)
    _refuse_unknown(fleet, environment, here, selection)
    return tuple(tenant for tenant in here if _is_selected(tenant, selection))


def _is_selected(tenant: Tenant, selection: Selection) -> bool:
    if selection.tenants and tenant.name not in selection.tenants:
        return False
    if selection.tags and not set(selection.tags) & set(tenant.tags):
        return False
    shard = selection.shard
    return shard is None or shard_of(tenant.name, shard[1]) == shard[0]


def _refuse_unknown(
    fleet: Fleet, environment: str, here: tuple[Tenant, ...], selection: Selection
) -> None:
    names = {tenant.name for tenant in here}
    everywhere = {tenant.name for tenant in fleet.tenants}
    for name in selection.tenants:
        if name in names:
            continue
        if name in everywhere:
            message = f"tenant `{name}` is not in environment `{environment}`"
            raise FleetError(message, remedy=f"Add it to the environment in {fleet.file}.")
        message = f"{fleet.file} has no tenant `{name}`"
        raise FleetError(message, remedy=nearest(name, names, "Tenants"))
    tags = {tag for tenant in here for tag in tenant.tags}
    for tag in selection.tags:
        if tag not in tags:
            message = f"no tenant in environment `{environment}` has the tag `{tag}`"
            raise FleetError(message, remedy=nearest(tag, tags, "Tags"))
