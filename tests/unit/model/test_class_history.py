"""The meaning of class migrations, their mistakes, and what of them is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowflare.emulator.services.scripts.classes import Namespace, UploadedClasses, migrate
from flowflare.emulator.services.scripts.upload import Migrations
from flowflare.model.class_history import (
    compute_net_effect,
    find_fates,
    find_mistakes,
    list_classes_after,
    replace_missing_transfers,
)
from flowflare.model.class_migrations import ClassMigration, from_wire, make_upload_block, to_wire

NAMES = ("A", "B", "C", "D")


def history(*steps: dict[str, object]) -> tuple[ClassMigration, ...]:
    return from_wire([{"tag": f"v{index}", **step} for index, step in enumerate(steps, 1)])


def new(*names: str) -> dict[str, object]:
    return {"new_sqlite_classes": list(names)}


def rename(old: str, to: str) -> dict[str, object]:
    return {"renamed_classes": [{"from": old, "to": to}]}


def delete(*names: str) -> dict[str, object]:
    return {"deleted_classes": list(names)}


def transfer(old: str, to: str, script: str = "old") -> dict[str, object]:
    return {"transferred_classes": [{"from": old, "from_script": script, "to": to}]}


@st.composite
def histories(draw: st.DrawFn) -> tuple[ClassMigration, ...]:
    """Valid class migrations with one directive a step, over few names that are used again."""
    alive: set[str] = set()
    steps: list[dict[str, object]] = []
    for _ in range(draw(st.integers(0, 8))):
        free = sorted(set(NAMES) - alive)
        kinds = ["new", "transfer"] if free else []
        kinds += ["delete"] if alive else []
        kinds += ["rename"] if alive and free else []
        kind = draw(st.sampled_from(kinds))
        if kind in ("new", "transfer"):
            name = draw(st.sampled_from(free))
            alive.add(name)
            steps.append(new(name) if kind == "new" else transfer(f"Old{len(steps)}", name))
        else:
            name = draw(st.sampled_from(sorted(alive)))
            alive.discard(name)
            steps.append(delete(name))
            if kind == "rename":
                to = draw(st.sampled_from(free))
                alive.add(to)
                steps[-1] = rename(name, to)
    return history(*steps)


@given(histories(), st.data())
def test_class_migrations_in_parts_have_the_same_result_as_at_once(
    whole: tuple[ClassMigration, ...], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(whole)))
    first, rest = whole[:cut], whole[cut:]
    before = list_classes_after(compute_net_effect(first, ()))
    assert before == list_classes_after(first)
    assert list_classes_after(compute_net_effect(rest, before), before) == list_classes_after(whole)
    assert find_fates(compute_net_effect(rest, before), before) == find_fates(rest, before)
    assert not find_mistakes(whole, bound={}, exported=list_classes_after(whole))


@given(histories(), st.data())
def test_the_emulator_accepts_what_is_sent_by_cloudflares_rules(
    whole: tuple[ClassMigration, ...], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(whole)))
    ledger = {("old", f"Old{index}"): Namespace(str(index), "old", f"Old{index}", use_sqlite=True)
              for index in range(len(whole))}  # fmt: skip
    tag = None
    for steps, applied in ((whole[:cut], ()), (whole[cut:], whole[:cut])):
        classes = list_classes_after((*applied, *steps))
        block = make_upload_block(
            compute_net_effect(steps, list_classes_after(applied)),
            tag,
            last_tag=f"cut-{len(steps)}",
        )
        empty: frozenset[str] = frozenset()
        target = UploadedClasses("app", frozenset(classes), empty, empty, empty)
        ledger = migrate(ledger, target, tag, Migrations.model_validate(block), "closed")
        tag = f"cut-{len(steps)}"
        assert sorted(name for script, name in ledger if script == "app") == list(classes)


@given(histories())
def test_a_new_script_gets_only_classes_that_its_code_has(
    whole: tuple[ClassMigration, ...],
) -> None:
    begun = replace_missing_transfers(
        whole, {("old", f"Old{index}") for index in range(len(whole))}
    )
    sent = [name for step in compute_net_effect(begun, ()) for name in step.new_sqlite_classes]
    assert sorted(sent) == list(list_classes_after(whole))


def test_only_the_net_effect_is_sent_and_the_last_tag_is_live() -> None:
    steps = history(new("A", "Deletions"), rename("A", "B"), delete("Deletions"))
    assert make_upload_block(compute_net_effect(steps, ()), None, last_tag="v3") == {
        "new_tag": "v3",
        "steps": [{"new_sqlite_classes": ["B"]}],
    }


def test_names_that_must_be_free_in_between_are_sent_unchanged() -> None:
    swap = history(rename("A", "X"), rename("B", "A"), rename("X", "B"))
    assert compute_net_effect(swap, ("A", "B")) == swap
    assert find_fates(swap, ("A", "B")) == {"A": "B", "B": "A"}


def test_a_class_that_another_script_took_is_not_created_again() -> None:
    assert compute_net_effect(history(new("A", "B")), (), without=("A",)) == history(new("B"))
    assert find_mistakes(history(new("A")), bound={}, exported=(), taken={"A": "other"}) == ()


def test_a_transfer_can_be_stored_in_state() -> None:
    steps = history(transfer("A", "B"))
    assert from_wire(to_wire(steps)) == steps
    assert to_wire(steps)[0]["transferred_classes"] == [
        {"from": "A", "from_script": "old", "to": "B"}
    ]


@pytest.mark.parametrize(
    ("steps", "messages"),
    [
        ([new("A"), new("A")], ["creates `A`, which already exists"]),
        ([new("A"), {}], ["does nothing"]),
        ([new("A", "A")], ["names the class `A` twice", "creates `A`, which already exists"]),
        ([delete("A")], ["deletes `A`, which no earlier step creates"]),
        (
            [new("A"), delete("A"), rename("A", "B")],
            ["renames `A`, which no longer exists: step `v2` deletes it"],
        ),
        ([new("A", "B"), rename("A", "B")], ["renames `A` to `B`, which already exists"]),
        ([new("B"), transfer("A", "B")], ["moves `A` to `B`, which already exists"]),
        (
            [new("A"), rename("A", "B"), delete("A")],
            ["deletes `A`, which no longer exists: step `v2` renames it to `B`"],
        ),
    ],
)
def test_a_mistake_in_a_step_is_described(
    steps: list[dict[str, object]], messages: list[str]
) -> None:
    found = find_mistakes(history(*steps), bound={})
    assert [mistake.message for mistake in found] == messages
    assert all(mistake.step is not None and mistake.remedy for mistake in found)


def test_all_mistakes_are_reported_at_once() -> None:
    steps = history(new("A"), delete("B"), new("C"))
    steps = (*steps, steps[0].model_copy(update={"new_sqlite_classes": ("D",)}))
    found = find_mistakes(steps, bound={"COUNTER": "Nothing"}, exported=("A", "C"))
    assert [(mistake.step, mistake.binding, mistake.message) for mistake in found] == [
        (3, None, "has the tag 'v1' of an earlier step"),
        (1, None, "deletes `B`, which no earlier step creates"),
        (None, "COUNTER", "no class migration creates the class `Nothing`"),
        (3, None, "keeps the class `D`, which the code does not export"),
    ]


def test_a_binding_to_a_deleted_class_names_the_step_that_deleted_it() -> None:
    found = find_mistakes(history(new("A"), delete("A")), bound={"COUNTER": "A"})
    assert [mistake.message for mistake in found] == [
        "binds the class `A`, which no longer exists: step `v2` deletes it"
    ]
