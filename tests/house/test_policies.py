"""A policy is declared in one place: its class has its name, its parameters and its check."""

import pytest

from flowflare.policies.registry import BY_NAME, POLICIES
from tests.house.test_house_rules import PYTHON, ROOT, relative


# Names of one word are also fields of resources and settings.
@pytest.mark.parametrize("name", [name for name in BY_NAME if "-" in name])
def test_no_other_file_names_a_policy(name: str) -> None:
    package = ROOT / "infra" / "flowflare"
    named = [
        relative(path)
        for path in PYTHON
        if path.is_relative_to(package) and f'"{name}"' in path.read_text()
    ]
    assert len(named) == 1
    assert named[0] in ("infra/flowflare/policies/data.py", "infra/flowflare/policies/workers.py")


def test_the_list_has_every_policy() -> None:
    from flowflare.policies import data, workers
    from flowflare.policies.contract import Policy

    declared = {
        value
        for module in (data, workers)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Policy) and value.name
    }
    assert declared == set(POLICIES)
