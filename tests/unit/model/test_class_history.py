"""What a Durable Object history means, its mistakes, and what of it is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowflare.emulator.services.scripts.classes import Namespace, UploadedClasses, migrate
from flowflare.emulator.services.scripts.upload import Migrations
from flowflare.model.class_history import (
    classes_after,
    fates,
    history_findings,
    net_effect,
    started_anew,
)
from flowflare.model.class_migrations import ClassMigration, from_wire, to_wire, upload_block

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
    """Valid histories of one directive a step, over few names so that names are used again."""
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
def test_a_history_applied_in_parts_ends_as_in_one_go(
    whole: tuple[ClassMigration, ...], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(whole)))
    first, rest = whole[:cut], whole[cut:]
    before = classes_after(net_effect(first, ()))
    assert before == classes_after(first)
    assert classes_after(net_effect(rest, before), before) == classes_after(whole)
    assert fates(net_effect(rest, before), before) == fates(rest, before)
    assert not history_findings(whole, bound={}, exported=classes_after(whole))


@given(histories(), st.data())
def test_what_is_sent_is_accepted_as_the_emulator_reads_cloudflares_rules(
    whole: tuple[ClassMigration, ...], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(whole)))
    ledger = {("old", f"Old{index}"): Namespace(str(index), "old", f"Old{index}", use_sqlite=True)
              for index in range(len(whole))}  # fmt: skip
    tag = None
    for steps, applied in ((whole[:cut], ()), (whole[cut:], whole[:cut])):
        classes = classes_after((*applied, *steps))
        block = upload_block(
            net_effect(steps, classes_after(applied)), tag, last_tag=f"cut-{len(steps)}"
        )
        empty: frozenset[str] = frozenset()
        target = UploadedClasses("app", frozenset(classes), empty, empty, empty)
        ledger = migrate(ledger, target, tag, Migrations.model_validate(block), "closed")
        tag = f"cut-{len(steps)}"
        assert sorted(name for script, name in ledger if script == "app") == list(classes)


@given(histories())
def test_a_new_script_gets_no_class_that_its_code_does_not_have(
    whole: tuple[ClassMigration, ...],
) -> None:
    begun = started_anew(whole, {("old", f"Old{index}") for index in range(len(whole))})
    sent = [name for step in net_effect(begun, ()) for name in step.new_sqlite_classes]
    assert sorted(sent) == list(classes_after(whole))


def test_only_the_net_effect_is_sent_and_the_last_tag_is_live() -> None:
    steps = history(new("A", "Deletions"), rename("A", "B"), delete("Deletions"))
    assert upload_block(net_effect(steps, ()), None, last_tag="v3") == {
        "new_tag": "v3",
        "steps": [{"new_sqlite_classes": ["B"]}],
    }


def test_names_that_must_be_free_in_between_are_sent_as_written() -> None:
    swap = history(rename("A", "X"), rename("B", "A"), rename("X", "B"))
    assert net_effect(swap, ("A", "B")) == swap
    assert fates(swap, ("A", "B")) == {"A": "B", "B": "A"}


def test_a_class_that_another_script_took_is_not_begun_again() -> None:
    assert net_effect(history(new("A", "B")), (), without=("A",)) == history(new("B"))
    assert history_findings(history(new("A")), bound={}, exported=(), taken={"A": "other"}) == ()


def test_a_transfer_survives_being_kept_in_state() -> None:
    steps = history(transfer("A", "B"))
    assert from_wire(to_wire(steps)) == steps
    assert to_wire(steps)[0]["transferred_classes"] == [
        {"from": "A", "from_script": "old", "to": "B"}
    ]


@pytest.mark.parametrize(
    ("steps", "messages"),
    [
        ([new("A"), new("A")], ["begins `A`, which there is already"]),
        ([new("A"), {}], ["does nothing"]),
        ([new("A", "A")], ["names the class `A` twice", "begins `A`, which there is already"]),
        ([delete("A")], ["deletes `A`, which no earlier step begins"]),
        (
            [new("A"), delete("A"), rename("A", "B")],
            ["renames `A`, which is not there any more: step `v2` deletes it"],
        ),
        ([new("A", "B"), rename("A", "B")], ["renames `A` to `B`, which there is already"]),
        ([new("B"), transfer("A", "B")], ["moves `A` to `B`, which there is already"]),
        (
            [new("A"), rename("A", "B"), delete("A")],
            ["deletes `A`, which is not there any more: step `v2` renames it to `B`"],
        ),
    ],
)
def test_what_is_wrong_with_a_step(steps: list[dict[str, object]], messages: list[str]) -> None:
    found = history_findings(history(*steps), bound={})
    assert [one.message for one in found] == messages
    assert all(one.step is not None and one.remedy for one in found)


def test_all_that_is_wrong_comes_at_once() -> None:
    steps = history(new("A"), delete("B"), new("C"))
    steps = (*steps, steps[0].model_copy(update={"new_sqlite_classes": ("D",)}))
    found = history_findings(steps, bound={"COUNTER": "Nobody"}, exported=("A", "C"))
    assert [(one.step, one.binding, one.message) for one in found] == [
        (3, None, "has the tag 'v1' of an earlier step"),
        (1, None, "deletes `B`, which no earlier step begins"),
        (None, "COUNTER", "no class migration makes the class `Nobody`"),
        (3, None, "keeps the class `D`, which the code does not export"),
    ]


def test_a_binding_to_a_class_that_ended_says_what_ended_it() -> None:
    found = history_findings(history(new("A"), delete("A")), bound={"COUNTER": "A"})
    assert [one.message for one in found] == [
        "binds the class `A`, which is not there any more: step `v2` deletes it"
    ]
