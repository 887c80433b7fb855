"""What the tenants of a fleet have: their keys, their orders, the rows of their own databases."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.conftest import UNCOUNTED
from tests.fleet.projects import FleetProject
from tests.support.embedded import open_embedded
from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class Life:
    """One tenant, seen by those who use it.

    Attributes:
        tenant: its name.
        service_url: its service.
        orders_url: its client.
        key: the API key that its clients carry.
    """

    tenant: str
    service_url: str
    orders_url: str
    key: str = field(repr=False)

    def order(self) -> None:
        """Somebody orders: one run in its service's database."""
        order = {"order_id": f"of-{self.tenant}"}
        httpx.post(f"{self.orders_url}/orders", json=order, timeout=PATIENCE).raise_for_status()

    def orders(self) -> set[str]:
        """The orders that its service knows."""
        told = self._listed(self.key).raise_for_status().json()["workflows"]
        return {one["ref_id"] for one in told if one["ref_type"] == "order"}

    def status_for(self, key: str) -> int:
        """What its service answers to who has a key."""
        return self._listed(key).status_code

    def _listed(self, key: str) -> httpx.Response:
        url = f"{self.service_url}/service/list-workflows"
        return httpx.post(url, json={"limit": 100}, headers={"X-API-Key": key}, timeout=PATIENCE)


def life_of(fleet: FleetProject, tenant: str, *, passphrase_of: str = "") -> Life:
    """Opens a tenant's outputs, with its own passphrase if not with another's."""
    words = (fleet.root / f"passphrases/{passphrase_of or tenant}").read_text()
    environ = {"PULUMI_CONFIG_PASSPHRASE": words}
    stack = open_embedded(fleet.root, f"{tenant}-prod", environ=environ, api=UNCOUNTED)
    outputs = stack.outputs(show_secrets=True)
    return Life(
        tenant, outputs["service_url"], outputs["client_urls"]["orders"], outputs["api_key"]
    )


def own_rows(fleet: FleetProject, tenant: str, sql: str) -> list[dict[str, Any]]:
    """Asks the database that a tenant's client has for itself."""
    path = f"/d1/database/{own_database(fleet, tenant)}/query"
    return fleet.account.post(path, {"sql": sql})[0]["results"]


def own_database(fleet: FleetProject, tenant: str) -> str:
    """The id of the database that a tenant's client has for itself."""
    name = f"{tenant}-prod-flowflare-orders-shop"
    found = fleet.account.get(f"/d1/database?name={name}")
    return next(one["uuid"] for one in found if one["name"] == name)
