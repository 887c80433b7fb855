"""New stacks that differ in values only are one section, with every value by its stack."""

from flowflare.review.changes import review
from flowflare.review.sections import Section
from flowflare.review.variants import DIFFERS, fold_variants
from flowflare.values.events import Plan
from tests.unit.review.steps import step

OPTIONS = 'const x = 1;\nexport default create({\n  "days": %d,\n});\nexport { x as X };\n'


def make_section(stack: str, days: int, region: str = "weur", name: str = "db") -> Section:
    steps = (
        step("create", "WorkersScript", None, {"content": OPTIONS % days}, name="script"),
        step("create", "D1Database", None, {"primaryLocationHint": region}, name=name),
    )
    return Section.of([stack], "added", review(Plan(steps, {}), diff=True))


def test_each_differing_value_is_listed_by_stack() -> None:
    [section] = fold_variants([make_section("north", 30), make_section("south", 90, "apac")])
    assert section.stacks == ("north", "south")
    assert {row.stack: dict(row.values) for row in section.values} == {
        "north": {"script: the module's end": '"days": 30,', "db: primaryLocationHint": "weur"},
        "south": {"script: the module's end": '"days": 90,', "db: primaryLocationHint": "apac"},
    }


def test_a_value_of_one_stack_is_not_shown_as_that_of_all() -> None:
    [section] = fold_variants([make_section("north", 30), make_section("south", 90, "apac")])
    shown = section.model_dump_json(include={"review"})
    assert DIFFERS in shown
    assert not [value for value in ("30", "90", "weur", "apac") if value in shown]


def test_stacks_without_a_difference_have_no_table() -> None:
    [section] = fold_variants([make_section("north", 30)])
    assert section.values == ()


def test_stacks_with_other_resources_are_not_folded() -> None:
    sections = [make_section("north", 30), make_section("south", 30, name="archive")]
    assert fold_variants(sections) == sections


def make_change(stack: str, days: int, region: str, code: str = "run();") -> Section:
    text = f"// src/a.js\nbegin();\n{{}}\n{OPTIONS}"
    old, new = (text.replace("{}", code_).replace("%d", str(number)) for code_, number in
                (("stop();", 7), (code, days)))  # fmt: skip
    steps = (
        step("update", "WorkersScript", {"content": old}, {"content": new}, name="script"),
        step("update", "D1Database", {"primaryLocationHint": "weur"},
             {"primaryLocationHint": region}, name="db"),
    )  # fmt: skip
    return Section.of([stack], "changed", review(Plan(steps, {}), diff=True))


def test_each_differing_value_of_changed_stacks_is_listed_with_the_value_before() -> None:
    forty = [make_change(f"t{number:02}", 10 + number, f"r{number}") for number in range(40)]
    [section] = fold_variants(forty)
    assert len(section.stacks) == 40
    assert dict(section.values[3].values) == {
        "script: the module's end": '"days": 13,',
        "db: primaryLocationHint": "weur -> r3",
    }
    shown = section.model_dump_json(include={"review"})
    assert "run();" in shown
    assert "r3" not in shown


def test_changed_stacks_with_other_code_are_not_folded() -> None:
    sections = [make_change("north", 30, "weur"), make_change("south", 90, "apac", "walk();")]
    assert fold_variants(sections) == sections
