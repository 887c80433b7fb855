"""Where names that were chosen go, and which choices there are."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flowflare.adoption.names import NAMES, parsed_names, written_names
from flowflare.config.files import ConfigValue, read_project
from flowflare.config.load import load_stack
from flowflare.errors import AdoptionError

ROOT = Path(__file__).parents[3]
PROJECT = read_project(ROOT, "local")
SPEC = load_stack(
    {key: value.text for key, value in PROJECT.values.items()}, project="flowflare", stack="local"
)
CHOSEN = {"service": "tracker", "clients.orders": "shop"}


def with_names(file: str, **names: object) -> dict[tuple[str, ...], str]:
    value = ConfigValue(json.dumps(names), secret=False, file=file, line=1)
    return written_names(replace(PROJECT, values={NAMES: value}), CHOSEN)


def test_names_go_below_their_key() -> None:
    assert written_names(PROJECT, CHOSEN) == {
        (NAMES, "service"): "tracker",
        (NAMES, "clients", "orders"): "shop",
    }


def test_what_stands_in_the_stacks_file_is_not_written_again() -> None:
    assert with_names("Pulumi.local.yaml", service="tracker", database="db") == {
        (NAMES, "clients", "orders"): "shop"
    }


def test_what_stands_in_the_project_comes_along() -> None:
    assert with_names("Pulumi.yaml", database="db", clients={"mails": "post"}) == {
        (NAMES, "service"): "tracker",
        (NAMES, "database"): "db",
        (NAMES, "clients", "mails"): "post",
        (NAMES, "clients", "orders"): "shop",
    }


def test_choices_are_parts_of_the_stack() -> None:
    words = ["service=tracker", "workflows.order-processing=orders"]
    assert parsed_names(words, SPEC) == {
        "service": "tracker",
        "workflows.order-processing": "orders",
    }
    for word in ("service", "service=", "clients.mails=x"):
        with pytest.raises(AdoptionError) as refused:
            parsed_names([word], SPEC)
        assert "clients.orders" in str(refused.value)
