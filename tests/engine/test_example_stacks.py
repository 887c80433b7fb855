"""The example stacks of this repository can be planned as a first `up`."""

from pathlib import Path

import pytest

from flowflare.config.files import read_project
from flowflare.engine.embedded.plan_over import plan_over
from flowflare.state.checkpoint import Deployment
from flowflare.values.events import Plan, Step

ROOT = Path(__file__).parents[2]
STACKS = ("dev", "prod")


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    """Plan a first `up` of each stack, as `flowflare preview` does without a state."""
    return {name: plan_over(read_project(ROOT, name), Deployment(), {}) for name in STACKS}


def find_steps(plan: Plan, type_: str) -> list[Step]:
    return [step for step in plan.steps if step.type.endswith(f":{type_}")]


@pytest.mark.xdist_group("example-stacks")
@pytest.mark.parametrize("name", STACKS)
def test_an_example_stack_can_be_created(plans: dict[str, Plan], name: str) -> None:
    plan = plans[name]
    assert plan.failures == ()
    assert {step.op for step in plan.steps} == {"create"}
    [database] = find_steps(plan, "D1Database")
    assert database.protect == (name == "prod")
    assert len(find_steps(plan, "WorkersScript")) == 2
    assert {"api_key", "database_id", "client_urls"} <= plan.outputs.keys()


@pytest.mark.xdist_group("example-stacks")
def test_prod_is_reachable_only_at_its_own_addresses(plans: dict[str, Plan]) -> None:
    plan = plans["prod"]
    domains = [step.new for step in find_steps(plan, "WorkersCustomDomain")]
    assert [domain["hostname"] for domain in domains if domain] == ["tracking.example.com"]
    routes = [step.new for step in find_steps(plan, "WorkersRoute")]
    assert [route["pattern"] for route in routes if route] == ["shop.example.com/orders/*"]
    subdomains = [step.new for step in find_steps(plan, "WorkersScriptSubdomain")]
    assert not [subdomain for subdomain in subdomains if subdomain and subdomain["enabled"]]


@pytest.mark.parametrize("name", STACKS)
def test_an_example_configuration_contains_no_secret(name: str) -> None:
    text = (ROOT / f"Pulumi.{name}.yaml").read_text("utf-8")
    assert "secure:" not in text
    assert "apiToken:" not in text
    assert "flowflare:engine" not in text
