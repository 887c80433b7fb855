"""No word of a report has an effect on the page, and every word is readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowflare.review import html
from flowflare.review.visible import make_visible
from tests.review.hostile.readers import acting_in_page, elements_of, shape
from tests.review.hostile.reports import report
from tests.review.hostile.words import WORDS, texts
from tests.support.examples import draw_examples

# Code that a sentence marks is shown as code.
VARIES = frozenset({"code"})


def test_a_page_of_plain_words_is_inert() -> None:
    assert acting_in_page(html.render(report())) == []


@pytest.mark.parametrize(
    "text",
    [
        *("<script>x</script>", "<img src=x>", "<p onclick=x>x</p>", "<a href=http://x>x</a>"),
        *("<!-- x -->", "\u202e", "<style>x</style><link href=x>", "<p id=x></p>", "<?x?>", "</p>"),
    ],
)
def test_the_parser_detects_active_content(text: str) -> None:
    page = html.render(report()).replace("</main>", f"{text}</main>")
    assert acting_in_page(page)


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_hostile_words_are_shown_as_text(word: str) -> None:
    page = html.render(report(lambda _: word))
    plain = html.render(report(lambda _: word and "word"))
    assert acting_in_page(page) == []
    found = elements_of(page)
    assert shape(found, VARIES) == shape(elements_of(plain), VARIES)
    shown = make_visible(word, keep="\n\t").replace("\r\n", "\n")
    assert shown in "".join(found.inside)


@draw_examples(120)
@given(st.lists(texts, min_size=3, max_size=12))
def test_generated_words_have_no_effect(found: list[str]) -> None:
    counted = iter(range(1_000_000))
    page = html.render(report(lambda _: found[next(counted) % len(found)]))
    assert acting_in_page(page) == []
