"""Waves: each tenant is in one, canaries come first, and an interrupted rollout resumes."""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowflare.fleet.rollout.waves import Candidate, plan_waves

NAMES = [f"t{number:02}" for number in range(40)]
sizes = st.lists(
    st.integers(1, 30) | st.integers(1, 100).map(lambda share: f"{share}%"), max_size=5
)
candidates = st.lists(
    st.builds(
        Candidate,
        name=st.sampled_from(NAMES),
        canary=st.booleans(),
        trouble=st.sampled_from(["", "", "failed", "unhealthy", "running"]),
        suspended=st.booleans(),
    ),
    unique_by=lambda candidate: candidate.name,
)


def plain(count: int) -> list[Candidate]:
    return [Candidate(name) for name in NAMES[:count]]


def counts(*arguments, **words) -> list[int]:
    return [len(wave.tenants) for wave in plan_waves(*arguments, **words)]


@pytest.mark.parametrize(
    ("tenants", "sizes", "expected"),
    [
        (40, (1, "10%", "100%"), [1, 3, 36]),
        (40, (1, 5, "50%"), [1, 4, 15, 20]),
        (3, (1, "10%", "100%"), [1, 2]),
        (1, (1, "10%", "100%"), [1]),
        (0, (1, "10%", "100%"), []),
        (4, (), [4]),
        (4, ("100%",), [4]),
        (10, ("7%", "100%"), [1, 9]),
    ],
)
def test_a_size_counts_the_tenants_up_to_and_including_a_wave(
    tenants: int, sizes, expected: list[int]
) -> None:
    assert counts(plain(tenants), sizes) == expected


def test_canaries_come_first_and_suspended_tenants_last() -> None:
    """Between them come tenants that an earlier run left in trouble, then the others by name."""
    asked = [
        Candidate("a", suspended=True),
        Candidate("b"),
        Candidate("c", trouble="unhealthy"),
        Candidate("d", canary=True),
        Candidate("e", canary=True),
        Candidate("f", canary=True, suspended=True),
    ]
    [first, second] = plan_waves(asked, (1, "100%"))
    assert (first.tenants, second.tenants) == (("d", "e"), ("c", "b", "a", "f"))
    assert first.is_canary
    assert not second.is_canary


def test_after_a_successful_canary_tenants_in_trouble_come_first() -> None:
    """The interrupted rollout has shown that the code works."""
    asked = [Candidate("b", canary=True), Candidate("c", trouble="failed")]
    [wave] = plan_waves(asked, (1, "50%", "100%"), done=2)
    assert wave.tenants == ("c", "b")
    assert not wave.is_canary


@pytest.mark.parametrize("size", [0, -1, True, "0%", "101%", "ten", "%", "10"])
def test_an_invalid_size_is_refused(size) -> None:
    with pytest.raises(ValueError, match="is not a wave size"):
        plan_waves(plain(3), (size,))


@settings(max_examples=60, deadline=None)
@given(candidates, sizes, st.randoms())
def test_each_tenant_is_in_one_wave_in_any_order(asked, sizes, random) -> None:
    waves = plan_waves(asked, sizes)
    names = [name for wave in waves for name in wave.tenants]
    assert sorted(names) == sorted(candidate.name for candidate in asked)
    assert all(wave.tenants for wave in waves)
    assert [wave.number for wave in waves] == list(range(1, len(waves) + 1))
    assert {wave.of for wave in waves} <= {len(waves)}
    random.shuffle(asked)
    assert plan_waves(asked, sizes) == waves


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), sizes, st.data())
def test_a_resumed_rollout_has_the_waves_of_the_interrupted_one(count, sizes, data) -> None:
    """The remaining waves end with the same tenants as without the interruption."""
    whole = plan_waves(plain(count), sizes)
    stopped = data.draw(st.integers(0, count - 1))
    rest = plan_waves(plain(count)[stopped:], sizes, done=stopped)
    ends = [end for end in accumulate(len(wave.tenants) for wave in whole) if end > stopped]
    assert [stopped + end for end in accumulate(len(wave.tenants) for wave in rest)] == ends
    assert [wave.number for wave in rest] == [wave.number for wave in whole][-len(rest) :]
