"""The rule for names in an account; it is a promise, so its results stand here word for word."""

import pytest

from flowflare.model.names import ENVIRONMENT, WORD, binding_name, physical_name


@pytest.mark.parametrize(
    ("tenant", "environment", "what", "name"),
    [
        (None, "prod", "service", "prod-flowflare-service"),
        (None, "prod", "db", "prod-flowflare-db"),
        ("acme", "prod", "service", "acme-prod-flowflare-service"),
        ("acme", "prod", "db", "acme-prod-flowflare-db"),
        ("acme-eu", "pr12", "orders", "acme-eu-pr12-flowflare-orders"),
        ("acme", "dev", "order-processing", "acme-dev-flowflare-order-processing"),
    ],
)
def test_names_in_the_account(tenant: str | None, environment: str, what: str, name: str) -> None:
    assert physical_name(tenant, environment, what) == name


@pytest.mark.parametrize(
    ("workflow", "binding"),
    [("order-processing", "ORDER_PROCESSING"), ("refund", "REFUND"), ("a2-b", "A2_B")],
)
def test_a_binding_is_the_name_in_upper_case(workflow: str, binding: str) -> None:
    assert binding_name(workflow) == binding


def test_no_two_stacks_meet_in_one_name() -> None:
    tenants = [None, "a", "a-b", "b", "prod"]
    environments = ["prod", "dev", "a", "b"]
    names = [
        physical_name(tenant, environment, "service")
        for tenant in tenants
        for environment in environments
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["", "Orders", "1st", "a_b", "a--b", "-a", "a-"])
def test_what_no_client_can_be_called(name: str) -> None:
    assert not WORD.fullmatch(name)


@pytest.mark.parametrize("name", ["pr-12", "Prod", "12", ""])
def test_what_no_environment_can_be_called(name: str) -> None:
    assert not ENVIRONMENT.fullmatch(name)
