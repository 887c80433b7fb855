"""No word of a report has an effect in the comment, whatever the word is."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowflare.review import markdown
from flowflare.review.comment.marker import LIMIT, ShownPlan, compose
from flowflare.review.comment.marker import read_marker as read_comment
from tests.review.hostile.readers import acting_in_comment, as_github_shows, shape
from tests.review.hostile.reports import report
from tests.review.hostile.words import WORDS, texts
from tests.support.examples import draw_examples

# More or fewer words change the number of spans, and more lines of a refusal the number of items.
VARIES = frozenset({"code", "li", "ul", "p", "br"})
SOME = st.lists(texts, min_size=3, max_size=12)
EXAMPLES = draw_examples(120)


def in_turn(found: Sequence[str]) -> Callable[[str], str]:
    """Replace the words of a report by the given words in turn."""
    counted = iter(range(1_000_000))
    return lambda _: found[next(counted) % len(found)]


def shape_of(text: str) -> Counter[str]:
    return shape(as_github_shows(text), VARIES)


def without_breaks_for_commands(comment: str) -> str:
    """Remove what precedes a slash at the start of a line."""
    return comment.replace("\u200b/", "/")


def test_a_comment_of_plain_words_is_inert() -> None:
    assert acting_in_comment(markdown.render(report())) == []


@pytest.mark.parametrize(
    "text",
    [
        *("<b>x</b>", "@ann", "#1", "www.a.example", "a defaced", "[x](y)", "![x](y)", "$x$"),
        *("```html\n```", "    code", "<!-- x -->", "a1b2c3d", "a@b.cd", "* * *", "# x", "~~x~~"),
        *("\u202e", ":tada:", "GH-1", "https://a.example", "<https://a.example>"),
    ],
)
def test_the_parser_detects_active_content(text: str) -> None:
    assert acting_in_comment(f"{text}\n")


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_hostile_words_have_no_effect(word: str) -> None:
    text = markdown.render(report(lambda _: word))
    plain = markdown.render(report(lambda _: word and "word"))
    assert acting_in_comment(text) == []
    assert shape_of(text) == shape_of(plain)


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_hostile_words_next_to_plain_words_have_no_effect(word: str) -> None:
    for frame in ("{} {}", "{}{}", "{}: `{}`", "the `{1}` of {0}"):
        text = markdown.render(report(lambda old, frame=frame: frame.format(old, word)))
        assert acting_in_comment(text) == []


@EXAMPLES
@given(SOME, st.sampled_from([600, 2_000, 6_000, 60_000]))
def test_generated_words_have_no_effect(found: list[str], size: int) -> None:
    made = report(in_turn(found))
    whole = markdown.render(made)
    assert acting_in_comment(whole) == []
    assert acting_in_comment(markdown.render(made, max_size=size)) == []
    plain = report(in_turn([word and f"word{'s' * found.index(word)}" for word in found]))
    assert shape_of(whole) == shape_of(markdown.render(plain))


@EXAMPLES
@given(SOME)
def test_no_line_of_a_comment_is_a_command_or_a_marker(found: list[str]) -> None:
    content = markdown.render(report(in_turn(found)), max_size=60_000)
    body = compose(ShownPlan("plan", "a" * 40, (1, 1), content))
    rest = body.split("\n", 2)[2]
    assert [line for line in rest.splitlines() if line.lstrip().startswith("/")] == []
    again = read_comment(body, "plan")
    assert again is not None
    assert (again.head, again.run, again.notice) == ("a" * 40, (1, 1), "")
    assert acting_in_comment(again.content.replace("\u200b/", "/")) == []
    assert len(body) <= LIMIT
