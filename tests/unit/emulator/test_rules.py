"""Each error rule names its public trace, or its answer says what is our interpretation."""

import re

import pytest

from flowflare.emulator import codes
from flowflare.emulator.envelope import READING, UNTRACED, Code
from tests.docs.generate_emulator_coverage import refusals

_TRACE = re.compile(r"[\w./-]+ #\d+(, [\w./-]+ #\d+)*")


def test_each_rule_has_a_trace_or_says_that_it_is_our_reading() -> None:
    rules = list(refusals())
    assert len(rules) > 60
    for refused, when, trace in rules:
        reading = refused.headers.get(READING, "")
        assert trace or reading, when
        assert not trace or _TRACE.fullmatch(trace), trace
        assert "our interpretation" not in when or "our interpretation" in reading


@pytest.mark.parametrize(
    ("rule", "reading"),
    [
        (Code(404, 1, "a", "b.", trace="workers-sdk #1"), ""),
        (Code(404, 1, "a", "b."), UNTRACED),
        (
            Code(404, 1, "a", "b. The text is our interpretation. c.", trace="workers-sdk #1"),
            "The text is our interpretation.",
        ),
    ],
)
def test_the_header_repeats_what_the_rule_declares(rule: Code, reading: str) -> None:
    assert rule.reading == reading
    assert rule().headers == ({READING: reading} if reading else {})


def test_an_operation_that_is_not_emulated_is_not_retried() -> None:
    refused = codes.not_emulated("GET", "/images/v1")
    assert refused.status == 501
    assert refused.headers["x-should-retry"] == "false"
    assert READING in refused.headers
