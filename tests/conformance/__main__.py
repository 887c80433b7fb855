"""Run the stories, or those that a word names, and write the page: `make conformance`.

Each story is written when it ends. Stories that do not run keep their tables.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.conformance.page import PAGE, conformance_page, heading_of, read_tables, table_of
from tests.conformance.rows import Outcome
from tests.conformance.run import run_all
from tests.conformance.stories import STORIES
from tests.emulator.emulated import emulator


def main() -> None:
    """Write docs/reference/emulator-conformance.md, and print what is wrong."""
    words = sys.argv[1:]
    chosen = [
        story for story in STORIES if not words or any(word in heading_of(story) for word in words)
    ]
    before = read_tables(PAGE.read_text("utf-8")) if PAGE.exists() else {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        emulators = [stack.enter_context(emulator(folder / name)) for name in ("a", "b")]
        for story, verdicts in run_all(chosen, emulators, folder / "stories"):
            before[heading_of(story)] = table_of(verdicts)
            ordered = {
                name: before[name] for each in STORIES if (name := heading_of(each)) in before
            }
            PAGE.write_text(conformance_page(ordered), encoding="utf-8")
            for each in verdicts:
                if each.outcome is Outcome.WRONG:
                    sys.stdout.write(f"{heading_of(story)}: {each.row.words}: {each.reason}\n")


if __name__ == "__main__":
    main()
