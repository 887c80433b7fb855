"""Files that clients name must be in the project's repository."""

import json
from pathlib import Path

import pytest

from flowflare.config.load import load_stack
from flowflare.errors import ConfigError, RenderError
from flowflare.render.templates import render

OUTSIDE = "root:x:0:0"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Make a project beside a file that does not belong to it."""
    root = tmp_path / "code/shop"
    (root / "migrations").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: shop\n")
    (root / "index.js").write_text("export default {}\n")
    (tmp_path / "passwd").write_text(f"{OUTSIDE}\n")
    return root


def problems(root: Path, source: str = "index.js", migrations: str = "migrations") -> list[str]:
    client = {"source": source, "databases": {"SHOP": {"migrations": migrations}}}
    values = {
        "flowflare:accountId": "f" * 32,
        "flowflare:clients": json.dumps({"orders": client}),
    }
    try:
        load_stack(values, project="shop", stack="dev", root=root)
    except ConfigError as error:
        return [problem.message for problem in error.problems]
    return []


def test_a_source_outside_of_the_project_is_refused_by_name(shop: Path) -> None:
    source = "`flowflare:clients.orders.source`"
    for name in ("../../passwd", "../../nothing"):
        assert problems(shop, name) == [f"{source}: {name!r} is outside of the project"]
    (shop / "link.js").symlink_to(shop.parent.parent / "passwd")
    assert problems(shop, "link.js") == [f"{source}: 'link.js' is outside of the project"]


def test_migrations_outside_of_the_project_are_refused_by_name(shop: Path) -> None:
    folder = "`flowflare:clients.orders.databases.SHOP.migrations`"
    assert problems(shop, migrations="../..") == [f"{folder}: '../..' is outside of the project"]
    (shop / "migrations/0001_users.sql").symlink_to(shop.parent.parent / "passwd")
    name = "'migrations/0001_users.sql'"
    assert problems(shop) == [f"{folder}: {name} is outside of the project"]


@pytest.mark.parametrize("top", [".git", "pnpm-workspace.yaml", "package-lock.json"])
def test_a_sibling_package_in_the_same_repository_or_workspace_is_accepted(
    shop: Path, top: str
) -> None:
    (shop.parent / "orders/migrations").mkdir(parents=True)
    (shop.parent / "orders/index.js").write_text("export default {}\n")
    (shop / "link.js").symlink_to("../orders/index.js")
    assert problems(shop, "../orders/index.js") != []

    (shop.parent / top).touch()
    assert problems(shop, "../orders/index.js", "../orders/migrations") == []
    assert problems(shop, "link.js") == []
    assert problems(shop, "../../passwd") != []


def test_a_template_outside_of_the_project_is_refused_unread(shop: Path) -> None:
    outside = shop.parent.parent / "templates"
    outside.mkdir()
    (outside / "service.js.j2").write_text("{{ root:x:0:0 }}\n")
    (shop / "templates").symlink_to(outside)
    with pytest.raises(RenderError, match="points outside of the project") as refused:
        render("service.js.j2", {}, root=shop)
    assert OUTSIDE not in str(refused.value)
