"""Which migrations a database still needs, and which changed histories are refused."""

import hashlib
from pathlib import Path

import pytest

from flowflare.errors import MigrationError
from flowflare.migrations.files import Migration, make_migration
from flowflare.migrations.plan import Applied, find_history_problems, list_pending, sort_as_applied
from tests.unit.migrations.golden import compare

FILES = tuple(make_migration(f"000{n}_step.sql", f"CREATE TABLE t{n} (a);") for n in (1, 2, 3))
A, B, C = FILES
ROWS = tuple(Applied(file.name, file.checksum) for file in FILES)


def rename(file: Migration, name: str) -> Migration:
    return make_migration(name, file.sql)


@pytest.mark.parametrize("done", [0, 1, 3])
def test_files_that_are_not_applied_are_pending_in_order(done: int) -> None:
    assert list_pending(FILES, ROWS[:done]) == FILES[done:]


def test_a_file_that_wrangler_applied_has_no_checksum_to_compare() -> None:
    assert list_pending(FILES, [Applied(A.name, None)]) == FILES[1:]


def test_a_file_that_arrives_late_is_applied_late() -> None:
    assert list_pending(FILES, [ROWS[0], ROWS[2]]) == (B,)
    late = [ROWS[0], ROWS[2], ROWS[1]]
    assert list_pending(FILES, late) == ()
    assert sort_as_applied(FILES, [row.name for row in late]) == [A, C, B]
    assert sort_as_applied(FILES, [B.name]) == [A, B, C]


def test_files_with_one_number_are_known_by_name() -> None:
    twin = make_migration("0002_twin.sql", "CREATE TABLE twin (a);")
    assert list_pending((A, B, twin, C), ROWS) == (twin,)
    assert list_pending((A, B, twin), [*ROWS[:2], Applied(twin.name, None)]) == ()


def test_a_ledger_of_release_0_1_has_the_checksum_of_the_whole_text() -> None:
    accepted = make_migration(A.name, f"-- flowflare: accept drop-table: why\n{A.sql}")
    earlier = hashlib.sha256(accepted.sql.encode()).hexdigest()
    assert list_pending([accepted], [Applied(A.name, earlier)]) == ()
    assert list_pending([accepted], [ROWS[0]]) == ()
    assert [problem.kind for problem in find_history_problems([A], [Applied(A.name, earlier)])] == [
        "edited"
    ]


HISTORIES = {
    "edited": ((rename(B, A.name),), ROWS[:1]),
    "deleted": ((A,), ROWS[:2]),
    "deleted and applied by wrangler": ((A,), (ROWS[0], Applied(B.name, None))),
    "renamed": ((A, rename(B, "0002_better_name.sql")), ROWS[:2]),
    "two have changed numbers": (
        (make_migration("0001_b.sql", "B;"), make_migration("0002_a.sql", "A;")),
        tuple(
            Applied(name, make_migration(name, text).checksum)
            for name, text in (("0001_a.sql", "A;"), ("0002_b.sql", "B;"))
        ),
    ),
    "two have changed texts": ((rename(B, A.name), rename(A, B.name)), ROWS[:2]),
    "copied": ((*FILES, rename(B, "0004_copy.sql")), ROWS),
    "several at once": ((rename(B, A.name), C), (*ROWS[:2],)),
}


def test_every_changed_history_is_refused_with_its_own_message() -> None:
    messages = []
    for name, (files, rows) in HISTORIES.items():
        problems = find_history_problems(files, rows)
        assert problems, name
        messages.append(f"{name}\n")
        messages += [f"  [{each.kind}] {each.message}\n    {each.remedy}\n" for each in problems]
    compare(Path(__file__).parent / "expected" / "histories.txt", "".join(messages))


def test_all_problems_are_raised_together() -> None:
    files, rows = HISTORIES["several at once"]
    with pytest.raises(MigrationError) as caught:
        list_pending(files, rows)
    assert caught.value.message.splitlines() == [
        "0001_step.sql: now has the text that was applied as 0002_step.sql",
        "0002_step.sql: was applied, but the file is missing",
    ]
