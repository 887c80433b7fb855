"""The page: no word of a report acts on it, and each is there to be read."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowflare.review import html
from flowflare.review.visible import visible
from tests.review.hostile.readers import acting_in_page, elements_of, shape
from tests.review.hostile.reports import report
from tests.review.hostile.words import WORDS, texts

# What a sentence marks is code.
VARIES = frozenset({"code"})


def test_a_page_of_plain_words_is_right() -> None:
    assert acting_in_page(html.render(report())) == []


@pytest.mark.parametrize(
    "text",
    [
        *("<script>x</script>", "<img src=x>", "<p onclick=x>x</p>", "<a href=http://x>x</a>"),
        *("<!-- x -->", "\u202e", "<style>x</style><link href=x>", "<p id=x></p>", "<?x?>", "</p>"),
    ],
)
def test_the_reader_sees_what_acts(text: str) -> None:
    page = html.render(report()).replace("</main>", f"{text}</main>")
    assert acting_in_page(page)


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_hostile_words_are_text(word: str) -> None:
    page = html.render(report(lambda _: word))
    plain = html.render(report(lambda _: word and "word"))
    assert acting_in_page(page) == []
    found = elements_of(page)
    assert shape(found, VARIES) == shape(elements_of(plain), VARIES)
    shown = visible(word, keep="\n\t").replace("\r\n", "\n")
    assert shown in "".join(found.inside)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(texts, min_size=3, max_size=12))
def test_no_words_act(found: list[str]) -> None:
    counted = iter(range(1_000_000))
    page = html.render(report(lambda _: found[next(counted) % len(found)]))
    assert acting_in_page(page) == []
