"""Replace the words that only one stack has with placeholders, so that plans can be compared."""

import json
from collections.abc import Mapping
from typing import Any


def replace_words(value: Any, words: Mapping[str, str]) -> Any:
    """Replace a stack's own words in JSON values.

    Args:
        words: the stack's words with their placeholders. A word that begins with `=` only replaces
            whole values.
    """
    text = json.dumps(value)
    for own, common in words.items():
        if own.startswith("="):
            text = text.replace(json.dumps(own[1:]), json.dumps(common))
        else:
            text = text.replace(own, common)
    return json.loads(text)


def replace_words_in_text(text: str, words: Mapping[str, str]) -> str:
    """Replace a stack's own words in a string; see `replace_words`."""
    for own, common in words.items():
        if not own.startswith("="):
            text = text.replace(own, common)
    return text
