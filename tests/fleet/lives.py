"""Read what the tenants of a fleet have: their keys, orders, and the rows of their databases."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.conftest import UNCOUNTED
from tests.fleet.projects import FleetProject
from tests.support.embedded import open_embedded
from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class Life:
    """One tenant, as its users see it.

    Attributes:
        tenant: its name.
        service_url: its service's URL.
        orders_url: its client's URL.
        key: the API key that its clients send.
    """

    tenant: str
    service_url: str
    orders_url: str
    key: str = field(repr=False)

    def order(self) -> None:
        """Place an order, which makes one run in the service's database."""
        order = {"order_id": f"of-{self.tenant}"}
        httpx.post(f"{self.orders_url}/orders", json=order, timeout=PATIENCE).raise_for_status()

    def orders(self) -> set[str]:
        """List the orders that its service knows."""
        runs = self._list_runs(self.key).raise_for_status().json()["workflows"]
        return {run["ref_id"] for run in runs if run["ref_type"] == "order"}

    def status_for(self, key: str) -> int:
        """Return the HTTP status of its service for a key."""
        return self._list_runs(key).status_code

    def _list_runs(self, key: str) -> httpx.Response:
        url = f"{self.service_url}/service/list-workflows"
        return httpx.post(url, json={"limit": 100}, headers={"X-API-Key": key}, timeout=PATIENCE)


def life_of(fleet: FleetProject, tenant: str, *, passphrase_of: str = "") -> Life:
    """Read a tenant's outputs, with its own passphrase or another tenant's."""
    words = (fleet.root / f"passphrases/{passphrase_of or tenant}").read_text()
    environ = {"PULUMI_CONFIG_PASSPHRASE": words}
    stack = open_embedded(fleet.root, f"{tenant}-prod", environ=environ, api=UNCOUNTED)
    outputs = stack.outputs(show_secrets=True)
    return Life(
        tenant, outputs["service_url"], outputs["client_urls"]["orders"], outputs["api_key"]
    )


def own_rows(fleet: FleetProject, tenant: str, sql: str) -> list[dict[str, Any]]:
    """Query the client's own database of a tenant."""
    path = f"/d1/database/{own_database(fleet, tenant)}/query"
    return fleet.account.post(path, {"sql": sql})[0]["results"]


def own_database(fleet: FleetProject, tenant: str) -> str:
    """Return the ID of the client's own database of a tenant."""
    name = f"{tenant}-prod-flowflare-orders-shop"
    found = fleet.account.get(f"/d1/database?name={name}")
    return next(database["uuid"] for database in found if database["name"] == name)
