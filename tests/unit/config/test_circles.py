"""Clients that are bound to each other in a circle: none could be made first."""

from collections.abc import Mapping

import pytest

from flowflare.errors import ConfigError
from tests.unit.config.test_clients import load

HISTORY = [{"tag": "v1", "newSqliteClasses": ["Room"]}]


def bound(*targets: str, **fields: object) -> dict[str, object]:
    bindings = {
        f"TO_{one.upper()}": {"type": "service", "service": f"dev-flowflare-{one}"}
        for one in targets
    }
    return {"source": "a.js", "bindings": bindings, **fields}


def problems(clients: Mapping[str, object], **flat: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(clients, **flat)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("clients", "way"),
    [
        ({"a": bound("b"), "b": bound("a")}, "a -> b -> a"),
        ({"a": bound("b"), "b": bound("c"), "c": bound("b")}, "b -> c -> b"),
        ({"a": bound("b"), "b": bound("c"), "c": bound("a")}, "a -> b -> c -> a"),
        (
            {"a": bound("b"), "b": bound(tailConsumers=[{"service": "dev-flowflare-a"}])},
            "a -> b -> a",
        ),
    ],
)
def test_a_circle(clients: Mapping[str, object], way: str) -> None:
    (found,) = problems(clients)
    assert f": closes a circle, {way}: none of them could be uploaded first" in found


def test_a_circle_by_chosen_names() -> None:
    to_b = {"source": "a.js", "bindings": {"B": {"type": "service", "service": "shop-b"}}}
    (found,) = problems({"a": to_b, "b": bound("a")}, names={"clients": {"b": "shop-b"}})
    assert "`flowflare:clients.b.bindings.TO_A.service`: closes a circle, a -> b -> a" in found


@pytest.mark.parametrize(
    "clients",
    [
        {"a": bound("a")},
        {"a": bound("b", "c"), "b": bound("c"), "c": bound("elsewhere")},
    ],
)
def test_what_is_no_circle(clients: Mapping[str, object]) -> None:
    assert len(load(clients).clients) == len(clients)


def test_classes_may_be_bound_both_ways() -> None:
    def room(other: str) -> dict[str, object]:
        binding = {
            "type": "durable_object_namespace",
            "script_name": f"dev-flowflare-{other}",
            "class_name": "Room",
        }
        own = {"MINE": {"className": "Room"}}
        rooms = {"ROOM": binding}
        return {
            "source": "a.js", "bindings": rooms, "durableObjects": own, "classMigrations": HISTORY,
        }  # fmt: skip

    assert len(load({"a": room("b"), "b": room("a")}).clients) == 2
