"""What a database still needs, and which histories are refused."""

from pathlib import Path

import pytest

from flowflare.errors import MigrationError
from flowflare.migrations.files import Migration, migration
from flowflare.migrations.plan import Applied, history_problems, pending
from tests.unit.migrations.golden import compare

FILES = tuple(migration(f"000{n}_step.sql", f"CREATE TABLE t{n} (a);") for n in (1, 2, 3))
A, B, C = FILES
ROWS = tuple(Applied(file.name, file.checksum) for file in FILES)
COMMENT = "-- nothing to do\n"


def renamed(file: Migration, name: str) -> Migration:
    return migration(name, file.sql)


@pytest.mark.parametrize("done", [0, 1, 3])
def test_what_is_left_is_pending_in_order(done: int) -> None:
    assert pending(FILES, ROWS[:done]) == FILES[done:]


def test_a_file_that_wrangler_applied_has_no_checksum_to_compare() -> None:
    assert pending(FILES, [Applied(A.name, None)]) == FILES[1:]


def test_a_file_of_comments_may_fill_a_gap_at_any_time() -> None:
    filler = migration("0002_unused.sql", COMMENT)
    files = (A, filler, C)
    assert pending(files, [ROWS[0], ROWS[2]]) == (filler,)
    late = [ROWS[0], ROWS[2], Applied(filler.name, filler.checksum)]
    assert pending(files, late) == ()


HISTORIES = {
    "edited": ((renamed(B, A.name),), ROWS[:1]),
    "deleted": ((A,), ROWS[:2]),
    "deleted and applied by wrangler": ((A,), (ROWS[0], Applied(B.name, None))),
    "renamed": ((A, renamed(B, "0002_better_name.sql")), ROWS[:2]),
    "two have changed numbers": (
        (migration("0001_b.sql", "B;"), migration("0002_a.sql", "A;")),
        tuple(
            Applied(name, migration(name, text).checksum)
            for name, text in (("0001_a.sql", "A;"), ("0002_b.sql", "B;"))
        ),
    ),
    "two have changed texts": ((renamed(B, A.name), renamed(A, B.name)), ROWS[:2]),
    "two branches were merged": ((A, B, migration("0003_mine.sql", "D;"), C), (*ROWS[:2], ROWS[2])),
    "new before all": ((migration("0000_new.sql", "D;"), A), ROWS[:1]),
    "applied late by wrangler": (FILES, (ROWS[0], ROWS[2], ROWS[1])),
    "copied": ((*FILES, renamed(B, "0004_copy.sql")), ROWS),
    "several at once": ((renamed(B, A.name), C), (*ROWS[:2],)),
}


def test_every_changed_history_is_refused_in_words_of_its_own() -> None:
    told = []
    for name, (files, rows) in HISTORIES.items():
        problems = history_problems(files, rows)
        assert problems, name
        told.append(f"{name}\n")
        told += [f"  [{one.kind}] {one.message}\n    {one.remedy}\n" for one in problems]
    compare(Path(__file__).parent / "expected" / "histories.txt", "".join(told))


def test_all_problems_are_raised_together() -> None:
    files, rows = HISTORIES["several at once"]
    with pytest.raises(MigrationError) as caught:
        pending(files, rows)
    assert caught.value.message.splitlines() == [
        "0001_step.sql: has the text now that was applied as 0002_step.sql",
        "0002_step.sql: was applied, and the file is missing",
    ]
