"""No word of a report has an effect on a terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare.review.report_text import write_lines
from flowflare.review.text import join_lines
from tests.review.hostile.readers import unseen
from tests.review.hostile.reports import report
from tests.review.hostile.words import WORDS, texts


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_hostile_words_neither_colour_nor_move_the_cursor(word: str) -> None:
    assert list(unseen(join_lines(write_lines(report(lambda _: word))))) == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(texts, min_size=3, max_size=12))
def test_generated_words_have_no_effect(found: list[str]) -> None:
    counted = iter(range(1_000_000))
    made = report(lambda _: found[next(counted) % len(found)])
    assert list(unseen(join_lines(write_lines(made)))) == []
