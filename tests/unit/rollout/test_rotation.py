"""The steps of a key rotation, from what the configuration says and what the state has."""

import pytest

from flowflare.errors import RolloutError
from flowflare.rollout.rotation import Keys, RotationStep, generation_of, steps

K1, OFFERED, MOVED, K2 = Keys((1,), 1), Keys((2, 1), 1), Keys((2, 1), 2), Keys((2,), 2)


@pytest.mark.parametrize(
    ("keys", "deployed", "finish", "expected"),
    [
        # A new one: both steps, and the third only when it is asked for.
        (K1, {1}, False, [("accept", OFFERED, K1), ("change-over", MOVED, OFFERED)]),
        (K1, {1}, True, []),
        # Interrupted before, during or after the first `up`.
        (OFFERED, {1}, False, [("accept", OFFERED, K1), ("change-over", MOVED, OFFERED)]),
        (OFFERED, {1, 2}, False, [("accept", OFFERED, K1), ("change-over", MOVED, OFFERED)]),
        # At the second: again, and no further.
        (MOVED, {1, 2}, False, [("change-over", MOVED, OFFERED)]),
        (MOVED, {1, 2}, True, [("change-over", MOVED, OFFERED), ("drop", K2, MOVED)]),
        # The third was interrupted: neither command begins anything new.
        (K2, {1, 2}, True, [("resume", K2, MOVED)]),
        (K2, {1, 2}, False, [("resume", K2, MOVED)]),
        (K2, {2}, True, []),
        # Written by hand without the first step: it is added again.
        (MOVED, {1}, False, [("accept", OFFERED, K1), ("change-over", MOVED, OFFERED)]),
        (
            Keys((7,), 7),
            {7},
            False,
            [
                ("accept", Keys((8, 7), 7), Keys((7,), 7)),
                ("change-over", Keys((8, 7), 8), Keys((8, 7), 7)),
            ],
        ),
        (
            Keys((3, 2, 1), 3),
            {1, 2, 3},
            True,
            [
                ("change-over", Keys((3, 2, 1), 3), Keys((3, 2, 1), 2)),
                ("drop", Keys((3,), 3), Keys((3, 2, 1), 3)),
            ],
        ),
    ],
)
def test_the_steps_from_where_a_rotation_is(
    keys: Keys, deployed: set[int], finish: bool, expected: list[tuple]
) -> None:
    assert steps(keys, deployed, finish=finish) == tuple(
        RotationStep(*fields) for fields in expected
    )


@pytest.mark.parametrize(
    ("keys", "deployed", "finish", "said"),
    [
        (K1, set(), False, "the stack has no API key yet"),
        (OFFERED, {1, 2}, True, "the clients still use generation 1"),
        (MOVED, {1}, True, "the clients still use generation 1"),
        (K2, {1}, False, "one `up` would lock them out"),
    ],
)
def test_what_would_lock_callers_out_is_refused(
    keys: Keys, deployed: set[int], finish: bool, said: str
) -> None:
    with pytest.raises(RolloutError, match=said) as caught:
        steps(keys, deployed, finish=finish)
    assert caught.value.remedy


@pytest.mark.parametrize("held", [1, 2, 5])
def test_no_step_takes_away_the_key_that_callers_hold(held: int) -> None:
    """Callers hold the key that was in use before a step; the service accepts it after the step."""
    keys = Keys((held,), held)
    deployed = {held}
    for finish in (False, True):
        for step in steps(keys, deployed, finish=finish):
            assert keys.in_use in step.keys.accepted
            assert step.keys.in_use in step.keys.accepted
            assert step.keys.in_use in keys.accepted or step.kind == "accept"
            keys, deployed = step.keys, set(step.keys.accepted)
    assert keys == Keys((held + 1,), held + 1)


def test_a_generation_is_read_from_its_resource() -> None:
    assert generation_of("flowflare-service-api-key") == 1
    assert generation_of("flowflare-service-api-key-12") == 12
