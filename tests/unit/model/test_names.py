"""The rule for names in an account is a promise, so its results are written out here."""

import pytest

from flowflare.model.names import ENVIRONMENT, WORD, make_binding_name, make_physical_name


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
    assert make_physical_name(tenant, environment, what) == name


@pytest.mark.parametrize(
    ("workflow", "binding"),
    [("order-processing", "ORDER_PROCESSING"), ("refund", "REFUND"), ("a2-b", "A2_B")],
)
def test_a_binding_is_the_name_in_upper_case(workflow: str, binding: str) -> None:
    assert make_binding_name(workflow) == binding


def test_two_stacks_never_have_the_same_name() -> None:
    tenants = [None, "a", "a-b", "b", "prod"]
    environments = ["prod", "dev", "a", "b"]
    names = [
        make_physical_name(tenant, environment, "service")
        for tenant in tenants
        for environment in environments
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["", "Orders", "1st", "a_b", "a--b", "-a", "a-"])
def test_a_client_cannot_have_a_reserved_name(name: str) -> None:
    assert not WORD.fullmatch(name)


@pytest.mark.parametrize("name", ["pr-12", "Prod", "12", ""])
def test_an_environment_cannot_have_such_a_name(name: str) -> None:
    assert not ENVIRONMENT.fullmatch(name)
