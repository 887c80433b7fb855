"""Clients whose bindings form a cycle, so that none could be uploaded first."""

from collections.abc import Mapping

import pytest

from flowflare.errors import ConfigError
from tests.unit.config.test_clients import load

HISTORY = [{"tag": "v1", "newSqliteClasses": ["Room"]}]


def make_client(*targets: str, **fields: object) -> dict[str, object]:
    bindings = {
        f"TO_{target.upper()}": {"type": "service", "service": f"dev-flowflare-{target}"}
        for target in targets
    }
    return {"source": "a.js", "bindings": bindings, **fields}


def problems(clients: Mapping[str, object], **flat: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(clients, **flat)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("clients", "way"),
    [
        ({"a": make_client("b"), "b": make_client("a")}, "a -> b -> a"),
        ({"a": make_client("b"), "b": make_client("c"), "c": make_client("b")}, "b -> c -> b"),
        ({"a": make_client("b"), "b": make_client("c"), "c": make_client("a")}, "a -> b -> c -> a"),
        (
            {
                "a": make_client("b"),
                "b": make_client(tailConsumers=[{"service": "dev-flowflare-a"}]),
            },
            "a -> b -> a",
        ),
    ],
)
def test_a_cycle_is_refused_with_its_clients(clients: Mapping[str, object], way: str) -> None:
    (found,) = problems(clients)
    assert f": closes a cycle, {way}: none of these clients could be uploaded first" in found


def test_a_cycle_through_chosen_names_is_found() -> None:
    to_b = {"source": "a.js", "bindings": {"B": {"type": "service", "service": "shop-b"}}}
    (found,) = problems({"a": to_b, "b": make_client("a")}, names={"clients": {"b": "shop-b"}})
    assert "`flowflare:clients.b.bindings.TO_A.service`: closes a cycle, a -> b -> a" in found


@pytest.mark.parametrize(
    "clients",
    [
        {"a": make_client("a")},
        {"a": make_client("b", "c"), "b": make_client("c"), "c": make_client("elsewhere")},
    ],
)
def test_bindings_without_a_cycle_are_accepted(clients: Mapping[str, object]) -> None:
    assert len(load(clients).clients) == len(clients)


def test_two_clients_may_bind_to_each_others_classes() -> None:
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
