"""How the scripts of a stack share Durable Object classes."""

from collections.abc import Mapping
from typing import Any

from flowflare.model.class_migrations import from_wire
from flowflare.model.class_neighbours import ClassNeighbours, find_neighbours, sort_by_transfers

HISTORIES = {
    "a-carts": from_wire([{"tag": "v1", "new_sqlite_classes": ["Cart"]}]),
    "b-trolleys": from_wire(
        [
            {
                "tag": "v1",
                "transferred_classes": [{"from": "Cart", "from_script": "a-carts", "to": "T"}],
            }
        ]
    ),
    "c-shelves": from_wire(
        [
            {"tag": "v1", "new_sqlite_classes": ["Shelf"]},
            {
                "tag": "v2",
                "transferred_classes": [{"from": "T", "from_script": "b-trolleys", "to": "U"}],
            },
        ]
    ),
}


def props(script: str, histories: Mapping[str, Any] = HISTORIES) -> dict[str, object]:
    return find_neighbours(script, histories).props()


def test_a_script_knows_which_scripts_take_its_classes_and_create_classes() -> None:
    scripts = ["a-carts", "b-trolleys", "c-shelves"]
    taken = {"Cart": "b-trolleys"}
    assert props("a-carts") == {
        "scripts": scripts, "taken": taken, "begun": {"Shelf": "c-shelves"},
    }  # fmt: skip
    assert props("c-shelves") == {"scripts": scripts, "begun": {"Cart": "a-carts"}}
    assert ClassNeighbours().props() == {}


def test_the_script_that_receives_a_class_comes_first() -> None:
    assert sort_by_transfers(HISTORIES) == ("c-shelves", "b-trolleys", "a-carts")


def test_bound_scripts_come_first_unless_transfers_conflict() -> None:
    plain = {"x": (), "y": (), "z": ()}
    assert sort_by_transfers(plain, {"x": {"z"}, "z": {"y", "elsewhere"}}) == ("y", "z", "x")


def test_scripts_that_need_each_other_are_ordered_too() -> None:
    plain = {"x": (), "y": ()}
    assert sort_by_transfers(plain, {"x": {"y"}, "y": {"x"}}) == ("y", "x")
