"""One review of several that say the same: what is not the same in all of them is not shown."""

from typing import Any

from flowflare.review.changes import review
from flowflare.review.entries import Entry, Review
from flowflare.review.merging import merge_key, of_all, of_several
from flowflare.values.events import Failure, Plan
from tests.unit.review.steps import script, step

LONG = "x" * 300


def of_code(old: str, new: str, **more: Any) -> Review:
    one = step("update", "WorkersScript", script("s", code=old), script("s", code=new))
    stays = [step("same", "Workflow", {}, {}, name=name) for name in more.pop("stays", ())]
    return review(Plan((one, *stays), more.pop("outputs", {}), **more), diff=True)


def changed(found: Review) -> Entry:
    (entry,) = [one for one in found.entries if one.op != "same"]
    return entry


def lines(found: Review) -> tuple[str, ...]:
    (difference,) = changed(found).differences
    return difference.lines


def test_reviews_differ_by_what_changes_alone() -> None:
    one = of_code(f"// a.js\n{LONG}\nnorth\nold", f"// a.js\n{LONG}\nnorth\nnew")
    other = of_code(f"// a.js\n{LONG}y\nsouth\nold", f"// a.js\n{LONG}y\nsouth\nnew")
    another = of_code(f"// a.js\n{LONG}\nnorth\nold", f"// a.js\n{LONG}\nnorth\nnewer")
    assert merge_key(one) == merge_key(other) != merge_key(another)


def test_where_a_change_stands_in_its_file_makes_no_other_one() -> None:
    one = of_code("// a.js\n1\n2\n3\nold", "// a.js\n1\n2\n3\nnew")
    other = of_code("// a.js\n0\n1\n2\n3\nold", "// a.js\n0\n1\n2\n3\nnew")
    assert merge_key(one) == merge_key(other)
    assert lines(of_all([one, other])) == ("@@", " 2", " 3", "-old", "+new")


def test_a_refusal_makes_another_one() -> None:
    failure = Failure("urn", "x", "t", "no", "failed")
    one, other = of_code("1", "2"), of_code("1", "2", failures=(failure,))
    assert merge_key(one) != merge_key(other)


def test_lines_and_digests_that_vary_are_left_out() -> None:
    one = of_code(f"// a.js\n{LONG}\nnorth\nold", f"// a.js\n{LONG}\nnorth\nnew")
    other = of_code(f"// a.js\n{LONG}\nsouth\nold", f"// a.js\n{LONG}\nsouth\nnew")
    merged = of_all([one, other])
    assert " ..." in lines(merged)
    assert not [line for line in lines(merged) if "north" in line or "south" in line]
    (change,) = [one for one in changed(merged).changes if one.path == "content"]
    assert (change.old, change.new) == ("[text]", "[text]")


def test_alike_ones_stay_as_they_are() -> None:
    one = of_code("// a.js\nold", "// a.js\nnew")
    assert changed(of_all([one, one])) == changed(one)


def test_what_only_some_have_and_what_they_tell_is_not_shown() -> None:
    one = of_code("1", "2", stays=("w", "v"), outputs={"same": 1, "url": "a"})
    other = of_code("1", "2", stays=("w",), outputs={"same": 1, "url": "b"})
    merged = of_all([one, other])
    assert [entry.name for entry in merged.entries] == ["workersscript", "w"]
    assert merged.outputs == {"same": 1}


def test_of_one_of_several_only_common_lines_stay() -> None:
    one = of_code(f"// a.js\n{LONG}\nnorth\nold", f"// a.js\n{LONG}\nnorth\nnew")
    shown = of_several(one, {"north"})
    assert lines(shown)[2:] == (" ...", "-old", "+new")
    assert shown.outputs == {}
