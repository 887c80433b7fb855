"""Puts common words in the place of those that only one stack says, so that plans compare."""

import json
from collections.abc import Mapping
from typing import Any


def said(value: Any, words: Mapping[str, str]) -> Any:
    """JSON values with common words in the place of a stack's own.

    Args:
        value: the values.
        words: a stack's words with what stands for them; one that begins with `=` is a whole
            value and no part of another.
    """
    text = json.dumps(value)
    for own, common in words.items():
        if own.startswith("="):
            text = text.replace(json.dumps(own[1:]), json.dumps(common))
        else:
            text = text.replace(own, common)
    return json.loads(text)


def common_text(text: str, words: Mapping[str, str]) -> str:
    """A text with common words in the place of a stack's own; see `said`."""
    for own, common in words.items():
        if not own.startswith("="):
            text = text.replace(own, common)
    return text
