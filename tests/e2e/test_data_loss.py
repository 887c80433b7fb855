"""Data is lost only after a person allowed it by name, with a reason."""

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


def list_database_ids(project: Project) -> dict[str, str]:
    databases = project.account.get("/d1/database?per_page=100")
    return {database["name"]: database["uuid"] for database in databases}


def test_a_database_is_lost_only_if_a_reason_is_given(
    tmp_path: Path, cloudflare: Cloudflare
) -> None:
    shop = make_shop(tmp_path / "shop", cloudflare)

    shop.open_stack().up()
    before = list_database_ids(shop)

    # A replacement is refused until a reason allows it.
    shop.edit("Pulumi.yaml", '"migrations": "worker_src/mails/migrations"', ELSEWHERE)
    with pytest.raises(ProtectedError, match=f"{ARCHIVE}: <reason>"):
        shop.open_stack().up()
    assert list_database_ids(shop) == before
    shop.configure(f"flowflare:allowDataLoss: {{{ARCHIVE}: it is empty}}")
    result = flowflare("up", "--yes", "--cwd", str(shop.root))
    assert f"Loses data: {ARCHIVE} (replaced)" in result.out
    moved = list_database_ids(shop)
    assert moved.keys() == before.keys()
    changed = [name for name in before if moved[name] != before[name]]
    assert changed == ["local-flowflare-mails-archive"]

    # After a removal from the program, the state still protects the class and its script.
    config = CONFIG["flowflare:clients"]["value"]
    write_clients(shop, {"flowflare:clients": {"value": {"orders": config["orders"]}}})
    local = shop.root / "Pulumi.local.yaml"
    text = local.read_text()
    with pytest.raises(FlowflareError, match="A removed resource no longer needs an entry"):
        shop.open_stack().up()
    local.write_text(text.replace("flowflare:allowDataLoss", "# flowflare:allowDataLoss"))
    with pytest.raises(ProtectedError, match="flowflare-mails-script"):
        shop.open_stack().up()
    assert "local-flowflare-mails" in shop.account.list_scripts()

    # A destroy needs the name of each resource; --yes is not enough.
    preview = flowflare("destroy", "--preview", "--cwd", str(shop.root))
    result = flowflare("destroy", "--yes", "--cwd", str(shop.root))
    assert (preview.code, result.code) == (1, 1)
    assert preview.err.splitlines()[-1] == result.err.splitlines()[-1], "the same remedy"
    assert "nothing was deleted" in result.err
    command = result.err.split("flowflare destroy ")[1].split()
    assert command[:3] == ["--stack", "local", "--lose-data"]
    result = flowflare("destroy", *command, "--yes", "--cwd", str(shop.root))
    assert result.code == 0, result.err
    assert shop.account.is_empty()


def test_destroy_takes_names_only_after_lose_data(tmp_path: Path, cloudflare: Cloudflare) -> None:
    shop = make_shop(tmp_path / "shop", cloudflare)
    result = flowflare("destroy", "flowflare-service-database", "--cwd", str(shop.root))
    assert result.code == 2
    assert "--lose-data" in result.err
