"""What the scripts of a stack have to do with each other's Durable Object classes."""

from collections.abc import Mapping
from typing import Any

from flowflare.model.class_migrations import from_wire
from flowflare.model.class_neighbours import ClassNeighbours, neighbours_of, transfer_order

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
    return neighbours_of(script, histories).props()


def test_a_script_knows_who_takes_its_classes_and_who_begins_classes() -> None:
    scripts = ["a-carts", "b-trolleys", "c-shelves"]
    taken = {"Cart": "b-trolleys"}
    assert props("a-carts") == {
        "scripts": scripts, "taken": taken, "begun": {"Shelf": "c-shelves"},
    }  # fmt: skip
    assert props("c-shelves") == {"scripts": scripts, "begun": {"Cart": "a-carts"}}
    assert ClassNeighbours().props() == {}


def test_who_takes_a_class_over_comes_before_who_had_it() -> None:
    assert transfer_order(HISTORIES) == ("c-shelves", "b-trolleys", "a-carts")


def test_what_a_script_is_bound_to_comes_first_but_for_transfers() -> None:
    plain = {"x": (), "y": (), "z": ()}
    assert transfer_order(plain, {"x": {"z"}, "z": {"y", "elsewhere"}}) == ("y", "z", "x")


def test_scripts_that_need_each_other_have_an_order_all_the_same() -> None:
    plain = {"x": (), "y": ()}
    assert transfer_order(plain, {"x": {"y"}, "y": {"x"}}) == ("y", "x")
