"""`has_traceback` ignores the tracebacks that Cloudflare's SDK logs."""

import pytest

from tests.canaries.running import has_traceback

TRACEBACK = """Traceback (most recent call last):
  File "a.py", line 1, in f
ValueError: no

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in f
KeyError: 'no'
"""
SDK = "[2026-11-30 10:00:00 - cloudflare._base_client:1021 - DEBUG] Encountered Exception\n"
OTHER = "[2026-11-30 10:00:00 - asyncio:64 - DEBUG] Using selector: EpollSelector\n"


@pytest.mark.parametrize("text", ["", SDK + TRACEBACK, OTHER + SDK + TRACEBACK + OTHER])
def test_a_traceback_in_the_log_of_the_sdk_does_not_count(text: str) -> None:
    assert not has_traceback(text)


@pytest.mark.parametrize(
    "text", [TRACEBACK, OTHER + TRACEBACK, SDK + TRACEBACK + TRACEBACK, SDK + OTHER + TRACEBACK]
)
def test_any_other_traceback_counts(text: str) -> None:
    assert has_traceback(text)
