"""Where chosen names are written, and which names can be chosen."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flowflare.adoption.names import NAMES, parse_names, place_names
from flowflare.config.files import read_project
from flowflare.config.load import load_stack
from flowflare.config.values import ConfigValue
from flowflare.errors import AdoptionError

ROOT = Path(__file__).parents[3]
PROJECT = read_project(ROOT, "local")
SPEC = load_stack(
    {key: value.text for key, value in PROJECT.values.items()}, project="flowflare", stack="local"
)
CHOSEN = {"service": "tracker", "clients.orders": "shop"}


def with_names(file: str, **names: object) -> dict[tuple[str, ...], str]:
    value = ConfigValue(json.dumps(names), secret=False, file=file, line=1)
    return place_names(replace(PROJECT, values={NAMES: value}), CHOSEN)


def test_names_are_written_below_their_key() -> None:
    assert place_names(PROJECT, CHOSEN) == {
        (NAMES, "service"): "tracker",
        (NAMES, "clients", "orders"): "shop",
    }


def test_names_that_the_stacks_file_has_are_not_written_again() -> None:
    assert with_names("Pulumi.local.yaml", service="tracker", database="db") == {
        (NAMES, "clients", "orders"): "shop"
    }


def test_names_of_the_project_are_copied_along() -> None:
    assert with_names("Pulumi.yaml", database="db", clients={"mails": "post"}) == {
        (NAMES, "service"): "tracker",
        (NAMES, "database"): "db",
        (NAMES, "clients", "mails"): "post",
        (NAMES, "clients", "orders"): "shop",
    }


def test_only_parts_of_the_stack_can_be_chosen() -> None:
    words = ["service=tracker", "workflows.order-processing=orders"]
    assert parse_names(words, SPEC) == {
        "service": "tracker",
        "workflows.order-processing": "orders",
    }
    for word in ("service", "service=", "clients.mails=x"):
        with pytest.raises(AdoptionError) as refused:
            parse_names([word], SPEC)
        assert "clients.orders" in str(refused.value)
