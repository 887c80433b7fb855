"""A plan without decrypted secrets is equal to the plan with them, or is not made."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.review.against_state import plan_against
from flowflare.review.changes import review
from flowflare.review.sealed import plan_sealed
from flowflare.state.passphrase import Passphrase, Vault
from flowflare.values.events import Plan
from tests.e2e.conftest import UNCOUNTED, Project, make_project
from tests.e2e.embedded import Cloudflare
from tests.engine.projects import PASSPHRASE, SALT
from tests.support.embedded import open_embedded

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

OPEN = {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE, "SHOP_TOKEN": "from the environment"}


def secure(text: str) -> str:
    return f'{{secure: "{Vault(Passphrase(PASSPHRASE, "a test"), SALT).seal_text(text)}"}}'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, cloudflare: Cloudflare) -> Project:
    """Deploy a stack with secrets of every kind."""
    project = make_project(tmp_path_factory.mktemp("sealed") / "shop", cloudflare)
    file = project.root / "Pulumi.local.yaml"
    sources = f"{{ONE: {secure('hunter2')}, TWO: {{generated: {{}}}}, THREE: {{environment: "
    overrides = f"{{orders: {{secrets: {sources}SHOP_TOKEN}}}}}}}}"
    file.write_text(f"encryptionsalt: {SALT}\n{file.read_text()}")
    project.configure(f"flowflare:clientOverrides: {overrides}")
    os.environ["SHOP_TOKEN"] = OPEN["SHOP_TOKEN"]
    try:
        open_embedded(project.root, "local", environ=os.environ | OPEN, api=UNCOUNTED).up()
        yield project
    finally:
        del os.environ["SHOP_TOKEN"]


def review_changes(plan: Plan) -> list[dict]:
    reviewed = review(plan, diff=True).model_dump(exclude={"outputs"})
    changes = [entry for entry in reviewed["entries"] if entry["op"] != "same"]
    return [*changes, reviewed["refusals"]]


def make_both_plans(root: Path, *, same_secrets: bool = True) -> tuple[Plan | None, Plan]:
    project = read_project(root, "local")
    closed = {key: value for key, value in os.environ.items() if "PASSPHRASE" not in key}
    sealed = plan_sealed(project, closed, same_secrets=same_secrets)
    return sealed, plan_against(project.shared, project, os.environ | OPEN)


def edit(old: str, new: str) -> Callable[[str], str]:
    def apply(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return apply


CHANGES = {
    "nothing": lambda text: text,
    "plain": lambda text: f"{text}  flowflare:debug: true\n  flowflare:retentionDays: 3\n",
    "protection": edit("flowflare:protect: false", "flowflare:protect: true"),
    "a secret less": edit("TWO: {generated: {}}, ", ""),
    "a secret more": edit("TWO: ", "FOUR: {generated: {}}, TWO: "),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_without_secrets_equals_the_plan_with_them(shop: Project, change: str) -> None:
    file = shop.root / "Pulumi.local.yaml"
    before = file.read_text()
    file.write_text(CHANGES[change](before))
    try:
        sealed, opened = make_both_plans(shop.root)
    finally:
        file.write_text(before)
    assert sealed is not None
    assert review_changes(sealed) == review_changes(opened)
    assert bool(opened.changed) is (change not in ("nothing", "protection"))
    assert "hunter2" not in str(sealed)


def test_a_stack_whose_secrets_may_have_changed_is_not_planned_without_them(shop: Project) -> None:
    sealed, opened = make_both_plans(shop.root, same_secrets=False)
    assert sealed is None
    assert opened.changed == 0


def test_a_program_that_reads_a_secret_is_not_planned_without_it(shop: Project) -> None:
    program = shop.root / "infra/__main__.py"
    before = program.read_text()
    asks = (
        "import pulumi\nassert pulumi.Config('flowflare').get('clientOverrides').count('hunter2')\n"
    )
    program.write_text(asks + before)
    try:
        sealed, opened = make_both_plans(shop.root)
    finally:
        program.write_text(before)
    assert sealed is None
    assert opened.changed == 0


def test_a_new_stack_is_planned_without_secrets(shop: Project) -> None:
    file = shop.root / "Pulumi.other.yaml"
    text = (shop.root / "Pulumi.local.yaml").read_text()
    file.write_text(text)
    project = read_project(shop.root, "other")
    sealed = plan_sealed(project, os.environ, same_secrets=False)
    opened = plan_against(project.shared, project, os.environ | OPEN)
    file.unlink()
    assert sealed is not None
    assert review_changes(sealed) == review_changes(opened)
