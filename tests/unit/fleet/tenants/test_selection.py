"""Which tenants a selection contains."""

from collections import Counter
from pathlib import Path

import pytest

from flowflare.errors import FleetError
from flowflare.fleet.tenants.selection import Selection, parse_shard, select, shard_of
from tests.unit.fleet.tenants.fleets import HEAD, load_fleet, make_project

TEXT = (
    HEAD
    + """
environments: {dev: {}, prod: {}}
tenants: {a: {tags: [eu]}, b: {tags: [us, big]}, c: {only: [dev]}, d: {status: retired}}
"""
)


def test_each_condition_narrows_the_selection(tmp_path: Path) -> None:
    found = load_fleet(make_project(tmp_path, TEXT))

    def names(environment: str = "prod", **words: object) -> str:
        chosen = select(found, environment, Selection(**words))  # type: ignore[arg-type]
        return "".join(tenant.name for tenant in chosen)

    assert (names(), names("dev")) == ("abd", "abcd")
    assert names(tenants=("d", "a")) == "ad"
    assert names(tags=("eu", "big")) == "ab"
    assert names(tenants=("a", "d"), tags=("eu",)) == "a"
    assert "".join(sorted(names(shard=(1, 2)) + names(shard=(2, 2)))) == "abd"


@pytest.mark.parametrize(
    ("environment", "words", "message"),
    [
        ("prd", {}, "no environment `prd`\n  Did you mean `prod`"),
        ("prod", {"tenants": ("x",)}, "no tenant `x`"),
        ("prod", {"tenants": ("c",)}, "tenant `c` is not in environment `prod`"),
        ("prod", {"tags": ("bigg",)}, "has the tag `bigg`\n  Did you mean `big`"),
    ],
)
def test_an_unknown_environment_tenant_or_tag_is_refused(
    tmp_path: Path, environment: str, words: dict[str, object], message: str
) -> None:
    found = load_fleet(make_project(tmp_path, TEXT))
    with pytest.raises(FleetError, match=message):
        select(found, environment, Selection(**words))  # type: ignore[arg-type]


def test_shards_are_stable_and_even() -> None:
    """Machines with different releases must agree on the tenants of a shard."""
    assert [shard_of(name, 8) for name in ("acme", "beta", "gamma")] == [1, 2, 1]
    counts = Counter(shard_of(f"tenant{number}", 8) for number in range(4000))
    assert sorted(counts) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert max(counts.values()) < 1.2 * min(counts.values())


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "a/b", "1/8/9", "-1/8", "1/ 8"])
def test_an_invalid_shard_is_refused(text: str) -> None:
    with pytest.raises(FleetError):
        parse_shard(text)
    assert parse_shard("3/8") == (3, 8)
