"""Which class migrations a script still needs, and how an upload describes them."""

import pytest

from flowflare.errors import ClassMigrationError
from flowflare.model.class_migrations import (
    SERVICE_HISTORY,
    ClassMigration,
    RenamedClass,
    find_history_problem,
    from_wire,
    list_pending,
    make_upload_block,
    to_wire,
)

FIRST = ClassMigration(tag="v1", new_sqlite_classes=("A",))
SECOND = ClassMigration(tag="v2", renamed_classes=(RenamedClass(old="A", new="B"),))
THIRD = ClassMigration(tag="v3", deleted_classes=("B",))
HISTORY = (FIRST, SECOND, THIRD)


@pytest.mark.parametrize(
    ("live", "steps"),
    [(None, HISTORY), ("", HISTORY), ("v1", (SECOND, THIRD)), ("v3", ())],
)
def test_only_steps_after_the_live_tag_are_pending(
    live: str | None, steps: tuple[ClassMigration, ...]
) -> None:
    assert list_pending(HISTORY, live, script_name="service") == steps


def test_a_live_tag_that_the_history_does_not_have_is_never_replayed() -> None:
    with pytest.raises(ClassMigrationError) as caught:
        list_pending(HISTORY, "v9", script_name="service")
    assert caught.value.message == (
        "service: the live class migration tag 'v9' is not in the history (v1, v2, v3)"
    )


def test_an_upload_names_the_tags_that_it_starts_and_ends_with() -> None:
    assert make_upload_block([], "v3") is None
    assert make_upload_block([FIRST], None) == {
        "new_tag": "v1",
        "steps": [{"new_sqlite_classes": ["A"]}],
    }
    assert make_upload_block([SECOND, THIRD], "v1") == {
        "old_tag": "v1",
        "new_tag": "v3",
        "steps": [{"renamed_classes": [{"from": "A", "to": "B"}]}, {"deleted_classes": ["B"]}],
    }


def test_class_migrations_can_be_stored_in_state() -> None:
    assert from_wire(to_wire(HISTORY)) == HISTORY


def test_class_migrations_can_only_be_appended() -> None:
    assert find_history_problem((), HISTORY) is None
    assert find_history_problem((FIRST,), HISTORY) is None
    assert "'v3' was applied and is missing" in str(find_history_problem(HISTORY, (FIRST, SECOND)))
    changed = (FIRST, ClassMigration(tag="v2"), THIRD)
    assert "'v2' was applied and is different now" in str(find_history_problem(HISTORY, changed))


def test_the_services_first_step_creates_its_tracker_in_sqlite() -> None:
    assert to_wire(SERVICE_HISTORY[:1]) == [
        {"tag": "workflow-tracker-v1", "new_sqlite_classes": ["WorkflowTracker"]}
    ]
