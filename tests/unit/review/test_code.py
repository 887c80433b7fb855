"""Texts line by line: own sources are shown in full, others by their number of changed lines."""

from flowflare.review.changes import review
from flowflare.review.code import MOST_LINES, WIDEST
from flowflare.review.facts import list_rows
from flowflare.values.events import Plan, Step
from tests.unit.review.steps import script, step

OLD = """\
// flowflare:src/client.js
let a = 1;
// src/orders.js
let price = 1;
let kept = 0;
export {
  orders as default
};
"""


def differences(step: Step) -> dict[str, tuple[str, ...]]:
    (entry,) = review(Plan((step,)), diff=True).entries
    return {difference.of: difference.lines for difference in entry.differences}


def code(new: str, old: str = OLD) -> dict[str, tuple[str, ...]]:
    return differences(
        step("update", "WorkersScript", script("s", code=old), script("s", code=new))
    )


def test_own_sources_are_shown_and_runtime_lines_are_counted() -> None:
    new = OLD.replace("price = 1", "price = 2").replace("a = 1", "a = 1,\n  b = 2")
    assert code(new) == {
        "flowflare:src/client.js": ("... 3 changed lines",),
        "src/orders.js": (
            "@@ -1,2 +1,2 @@",
            "-let price = 1;",
            "+let price = 2;",
            " let kept = 0;",
        ),
    }


def test_a_source_that_moves_within_the_bundle_does_not_differ() -> None:
    runtime, own = OLD[: OLD.index("// src")], OLD[OLD.index("// src") : OLD.index("export")]
    end = OLD[OLD.index("export") :]
    assert code(own + runtime + end) == {}


def test_long_texts_and_long_lines_are_cut() -> None:
    lines = code("// src/orders.js\n" + "x();\n" * 200 + "y" * 300, "// src/orders.js\n")
    (shown,) = lines.values()
    assert len(shown) == MOST_LINES + 1
    assert shown[-1] == "... 122 more lines"
    (wide,) = code("// a.js\n" + "y" * 300, "// a.js\n").values()
    assert wide[-1] == f"+{'y' * (WIDEST - 1)}..."


def test_new_sql_is_shown_with_its_comments() -> None:
    files = [{"name": "0001_a.sql", "sql": "-- why\nSELECT 1;\n"}]
    create = step("create", "D1Migrations", None, {"migrations": files})
    assert differences(create) == {"0001_a.sql": ("+-- why", "+SELECT 1;")}


def test_a_nested_property_is_compared_without_its_secrets() -> None:
    many = {f"key{number}": number for number in range(9)} | {"key": "[secret]"}
    (lines,) = differences(
        step("update", "WorkersScript", script("s"), script("s") | {"placement": many})
    ).values()
    assert '+  "key": "[secret]",' in lines


def test_a_small_property_is_shown_as_rows_and_an_empty_one_not_at_all() -> None:
    more = {"limits": {"cpuMs": 50, "none": []}, "flags": [], "crons": [{"cron": "* * * * *"}]}
    create = step("create", "WorkersScript", None, script("s") | more)
    (entry,) = review(Plan((create,)), diff=True).entries
    assert entry.differences == ()
    assert {row.what: row.new for row in list_rows(entry)} == {
        "code": "1",
        "crons": '[{"cron": "* * * * *"}]',
        "limits.cpuMs": "50",
    }


def test_a_list_that_becomes_empty_is_shown_as_a_row() -> None:
    old, new = script("s") | {"crons": "none"}, script("s") | {"crons": []}
    (entry,) = review(Plan((step("update", "WorkersScript", old, new),)), diff=True).entries
    assert [(row.old, row.new) for row in list_rows(entry)] == [("none", "[]")]


def test_without_diff_texts_are_not_compared() -> None:
    update = step("update", "WorkersScript", script("s"), script("s", code="2"))
    assert review(Plan((update,))).entries[0].differences == ()
