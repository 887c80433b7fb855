"""Several reviews of the same change become one review, without what differs between them."""

from typing import Any

from flowflare.review.changes import review
from flowflare.review.entries import Entry, Review
from flowflare.review.merging import keep_common, make_merge_key, merge_reviews
from flowflare.values.events import Failure, Plan
from tests.unit.review.steps import script, step

LONG = "x" * 300


def of_code(old: str, new: str, **more: Any) -> Review:
    update = step("update", "WorkersScript", script("s", code=old), script("s", code=new))
    stays = [step("same", "Workflow", {}, {}, name=name) for name in more.pop("stays", ())]
    return review(Plan((update, *stays), more.pop("outputs", {}), **more), diff=True)


def find_change(found: Review) -> Entry:
    (entry,) = [entry for entry in found.entries if entry.op != "same"]
    return entry


def lines(found: Review) -> tuple[str, ...]:
    (difference,) = find_change(found).differences
    return difference.lines


def test_only_what_changes_makes_reviews_differ() -> None:
    one = of_code(f"// a.js\n{LONG}\nnorth\nold", f"// a.js\n{LONG}\nnorth\nnew")
    other = of_code(f"// a.js\n{LONG}y\nsouth\nold", f"// a.js\n{LONG}y\nsouth\nnew")
    another = of_code(f"// a.js\n{LONG}\nnorth\nold", f"// a.js\n{LONG}\nnorth\nnewer")
    assert make_merge_key(one) == make_merge_key(other) != make_merge_key(another)


def test_the_line_number_of_a_change_does_not_matter() -> None:
    one = of_code("// a.js\n1\n2\n3\nold", "// a.js\n1\n2\n3\nnew")
    other = of_code("// a.js\n0\n1\n2\n3\nold", "// a.js\n0\n1\n2\n3\nnew")
    assert make_merge_key(one) == make_merge_key(other)
    assert lines(merge_reviews([one, other])) == ("@@", " 2", " 3", "-old", "+new")


def test_a_refusal_makes_a_difference() -> None:
    failure = Failure("urn", "x", "t", "no", "failed")
    one, other = of_code("1", "2"), of_code("1", "2", failures=(failure,))
    assert make_merge_key(one) != make_merge_key(other)


def test_lines_and_digests_that_vary_are_not_shown() -> None:
    one = of_code(f"// a.js\n{LONG}\nnorth\nold", f"// a.js\n{LONG}\nnorth\nnew")
    other = of_code(f"// a.js\n{LONG}\nsouth\nold", f"// a.js\n{LONG}\nsouth\nnew")
    merged = merge_reviews([one, other])
    assert " ..." in lines(merged)
    assert not [line for line in lines(merged) if "north" in line or "south" in line]
    (change,) = [change for change in find_change(merged).changes if change.path == "content"]
    assert (change.old, change.new) == ("[text]", "[text]")


def test_equal_reviews_are_merged_unchanged() -> None:
    one = of_code("// a.js\nold", "// a.js\nnew")
    assert find_change(merge_reviews([one, one])) == find_change(one)


def test_resources_and_outputs_that_not_all_have_are_not_shown() -> None:
    one = of_code("1", "2", stays=("w", "v"), outputs={"same": 1, "url": "a"})
    other = of_code("1", "2", stays=("w",), outputs={"same": 1, "url": "b"})
    merged = merge_reviews([one, other])
    assert [entry.name for entry in merged.entries] == ["workersscript", "w"]
    assert merged.outputs == {"same": 1}


def test_lines_of_one_stack_are_kept_only_if_they_are_common() -> None:
    one = of_code(f"// a.js\n{LONG}\nnorth\nold", f"// a.js\n{LONG}\nnorth\nnew")
    shown = keep_common(one, {"north"})
    assert lines(shown)[2:] == (" ...", "-old", "+new")
    assert shown.outputs == {}
