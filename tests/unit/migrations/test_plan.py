"""What a database still needs, and which histories are refused."""

import pytest

from flowflare.errors import MigrationError
from flowflare.migrations.files import migration
from flowflare.migrations.plan import Applied, pending

FILES = tuple(migration(f"000{n}_step.sql", f"CREATE TABLE t{n} (a);") for n in (1, 2, 3))
ROWS = tuple(Applied(file.name, file.checksum) for file in FILES)


@pytest.mark.parametrize("done", [0, 1, 3])
def test_what_is_left_is_pending_in_order(done: int) -> None:
    assert pending(FILES, ROWS[:done]) == FILES[done:]


def test_a_file_that_wrangler_applied_has_no_checksum_to_compare() -> None:
    assert pending(FILES, [Applied(FILES[0].name, None)]) == FILES[1:]


@pytest.mark.parametrize(
    ("applied", "message"),
    [
        ((Applied("0001_step.sql", "0" * 64),), "0001_step.sql: was edited after it was applied"),
        ((Applied("0001_gone.sql", None),), "0001_gone.sql: was applied, and the file is missing"),
        ((ROWS[1],), "0001_step.sql: comes before 0002_step.sql, which was applied already"),
    ],
)
def test_a_changed_history_is_refused(applied: tuple[Applied, ...], message: str) -> None:
    with pytest.raises(MigrationError) as caught:
        pending(FILES, applied)
    assert caught.value.message == message
    assert caught.value.remedy is not None
    assert "a new file with the next number" in caught.value.remedy
