"""Say how many examples hypothesis tries: fewer in `make test` than in `make test-all`.

`FLOWFLARE_EXAMPLES=all` tries all. Both runs try the first examples of a fixed sequence, so they
repeat exactly. `FLOWFLARE_EXAMPLES=20000` draws that many new examples for each test instead, to
search further.
"""

import os

from hypothesis import HealthCheck, Phase, settings

WANTED = os.environ.get("FLOWFLARE_EXAMPLES", "")


def draw_examples(most: int, few: int | None = None) -> settings:
    """Return the settings of a test.

    Args:
        most: how many examples `make test-all` tries.
        few: how many `make test` tries; by default a tenth.
    """
    searches = WANTED.isdecimal()
    few = most // 10 if few is None else few
    return settings(
        max_examples=int(WANTED) if searches else most if WANTED == "all" else few,
        derandomize=not searches,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
