"""Say how many examples hypothesis tries: a quarter in `make test`, all in `make test-all`."""

import os


def count_examples(most: int) -> int:
    """Return how many of `most` examples this run tries.

    The examples are the first ones of a fixed sequence, so both runs repeat exactly.
    """
    return most if os.environ.get("FLOWFLARE_ALL_EXAMPLES") else most // 4
