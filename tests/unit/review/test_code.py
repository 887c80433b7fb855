"""Texts line by line: what is the reader's own in full, what is not by its number of lines."""

from flowflare.review.changes import review
from flowflare.review.code import MOST_LINES, WIDEST
from flowflare.review.facts import rows
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


def differences(one: Step) -> dict[str, tuple[str, ...]]:
    (entry,) = review(Plan((one,)), diff=True).entries
    return {difference.of: difference.lines for difference in entry.differences}


def code(new: str, old: str = OLD) -> dict[str, tuple[str, ...]]:
    return differences(
        step("update", "WorkersScript", script("s", code=old), script("s", code=new))
    )


def test_a_source_of_ones_own_is_shown_and_the_runtime_is_counted() -> None:
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


def test_a_source_that_moves_in_the_bundle_is_no_difference() -> None:
    runtime, own = OLD[: OLD.index("// src")], OLD[OLD.index("// src") : OLD.index("export")]
    end = OLD[OLD.index("export") :]
    assert code(own + runtime + end) == {}


def test_much_and_wide_text_is_cut() -> None:
    lines = code("// src/orders.js\n" + "x();\n" * 200 + "y" * 300, "// src/orders.js\n")
    (shown,) = lines.values()
    assert len(shown) == MOST_LINES + 1
    assert shown[-1] == "... 122 more lines"
    (wide,) = code("// a.js\n" + "y" * 300, "// a.js\n").values()
    assert wide[-1] == f"+{'y' * (WIDEST - 1)}..."


def test_new_sql_is_shown_with_its_comments() -> None:
    files = [{"name": "0001_a.sql", "sql": "-- why\nSELECT 1;\n"}]
    one = step("create", "D1Migrations", None, {"migrations": files})
    assert differences(one) == {"0001_a.sql": ("+-- why", "+SELECT 1;")}


def test_a_deep_property_is_compared_and_its_secrets_stay_secret() -> None:
    many = {f"key{number}": number for number in range(9)} | {"key": "[secret]"}
    (lines,) = differences(
        step("update", "WorkersScript", script("s"), script("s") | {"placement": many})
    ).values()
    assert '+  "key": "[secret]",' in lines


def test_a_small_property_is_told_in_rows_and_an_empty_one_not_at_all() -> None:
    more = {"limits": {"cpuMs": 50, "none": []}, "flags": [], "crons": [{"cron": "* * * * *"}]}
    one = step("create", "WorkersScript", None, script("s") | more)
    (entry,) = review(Plan((one,)), diff=True).entries
    assert entry.differences == ()
    assert {row.what: row.new for row in rows(entry)} == {
        "crons": '[{"cron": "* * * * *"}]',
        "limits.cpuMs": "50",
    }


def test_a_list_that_becomes_empty_is_a_row() -> None:
    old, new = script("s") | {"crons": "none"}, script("s") | {"crons": []}
    (entry,) = review(Plan((step("update", "WorkersScript", old, new),)), diff=True).entries
    assert [(row.old, row.new) for row in rows(entry)] == [("none", "[]")]


def test_without_diff_nothing_is_compared() -> None:
    one = step("update", "WorkersScript", script("s"), script("s", code="2"))
    assert review(Plan((one,))).entries[0].differences == ()
