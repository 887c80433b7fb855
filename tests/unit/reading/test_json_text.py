"""JSON from other programs: what is read, and what is refused without quoting it."""

import pytest

from flowflare.reading.json_text import MOST_LEVELS, JsonError, parse_json

DEEP = 100_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * DEEP, "nested more than 100 levels deep"),
        ("[" * DEEP + "]" * DEEP, "nested more than 100 levels deep"),
        ('{"a":' * DEEP + "1" + "}" * DEEP, "nested more than 100 levels deep"),
        ("[" * (MOST_LEVELS + 1) + "]" * (MOST_LEVELS + 1), "nested more than 100 levels deep"),
        ('{"a": [1e999]}', "a number in it is larger"),
        ("-1" + "0" * 400, "a number in it is larger"),
        ("[NaN]", "NaN is not a JSON number"),
        ('{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b'"\xff"', "it is not UTF-8 text"),
        ("", "it is not valid JSON"),
        ('{"password": hunter2}', "it is not valid JSON"),
    ],
)
def test_what_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(JsonError, match=message) as refused:
        parse_json(text)
    assert "hunter2" not in str(refused.value)


def test_what_is_read() -> None:
    deepest = "[" * MOST_LEVELS + "]" * MOST_LEVELS
    assert parse_json(deepest)
    assert parse_json(b'{"a": [1, 2.5, true, null, "\\ud83d\\ude00 \\\\ud800"]}') == {
        "a": [1, 2.5, True, None, "😀 \\ud800"]
    }


def test_half_of_a_surrogate_pair_becomes_something_that_can_be_printed() -> None:
    assert parse_json('{"name": "a\\uD800b"}') == {"name": "a?b"}
