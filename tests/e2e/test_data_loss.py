"""Data is lost only after somebody has said so by name, with a reason; nothing else lets it go."""

from pathlib import Path

import pytest

from flowflare.errors import FlowflareError, ProtectedError
from tests.cli.command import flowflare
from tests.e2e.conftest import Project
from tests.e2e.embedded import Cloudflare
from tests.e2e.shop import CONFIG, make_shop, write_clients

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]
ARCHIVE = "flowflare-mails-archive-database"
ELSEWHERE = '"migrations": "worker_src/mails/migrations", "locationHint": "weur"'


def databases(project: Project) -> dict[str, str]:
    listed = project.account.get("/d1/database?per_page=100")
    return {one["name"]: one["uuid"] for one in listed}


def test_a_database_goes_only_where_a_reason_stands(tmp_path: Path, cloudflare: Cloudflare) -> None:
    shop = make_shop(tmp_path / "shop", cloudflare)

    shop.stack().up()
    before = databases(shop)

    # A replacement: refused, then done by the run that lifts the protection.
    shop.edit("Pulumi.yaml", '"migrations": "worker_src/mails/migrations"', ELSEWHERE)
    with pytest.raises(ProtectedError, match=f"{ARCHIVE}: <reason>"):
        shop.stack().up()
    assert databases(shop) == before
    shop.configure(f"flowflare:allowDataLoss: {{{ARCHIVE}: it is empty}}")
    said = flowflare("up", "--cwd", str(shop.root))
    assert f"Loses data: {ARCHIVE} (replaced)" in said.out
    moved = databases(shop)
    assert moved.keys() == before.keys()
    changed = [name for name in before if moved[name] != before[name]]
    assert changed == ["local-flowflare-mails-archive"]

    # A removal: state alone says what is protected, so the class and its script still are.
    config = CONFIG["flowflare:clients"]["value"]
    write_clients(shop, {"flowflare:clients": {"value": {"orders": config["orders"]}}})
    local = shop.root / "Pulumi.local.yaml"
    text = local.read_text()
    with pytest.raises(FlowflareError, match="A removed resource does not need an entry"):
        shop.stack().up()
    local.write_text(text.replace("flowflare:allowDataLoss", "# flowflare:allowDataLoss"))
    with pytest.raises(ProtectedError, match="flowflare-mails-script"):
        shop.stack().up()
    assert "local-flowflare-mails" in shop.account.scripts()

    # A destroy: --yes is no name.
    foreseen = flowflare("destroy", "--preview", "--cwd", str(shop.root))
    said = flowflare("destroy", "--yes", "--cwd", str(shop.root))
    assert (foreseen.code, said.code) == (1, 1)
    assert foreseen.err.splitlines()[-1] == said.err.splitlines()[-1], "the same way out"
    assert "nothing was deleted" in said.err
    command = said.err.split("flowflare destroy ")[1].split()
    assert command[:3] == ["--stack", "local", "--lose-data"]
    said = flowflare("destroy", *command, "--yes", "--cwd", str(shop.root))
    assert said.code == 0, said.err
    assert shop.account.holds_nothing()


def test_names_stand_behind_lose_data(tmp_path: Path, cloudflare: Cloudflare) -> None:
    shop = make_shop(tmp_path / "shop", cloudflare)
    said = flowflare("destroy", "flowflare-service-database", "--cwd", str(shop.root))
    assert said.code == 2
    assert "--lose-data" in said.err
