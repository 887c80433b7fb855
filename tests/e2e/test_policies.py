"""Policies where they count: an `up` that one stands against sends nothing, a preview says why.

And the program against state, which the same previews stand on.
"""

import json

import pytest

from flowflare.review.against_state import compare_with_state
from tests.cli.command import flowflare
from tests.e2e.conftest import Project

pytestmark = [pytest.mark.workerd, pytest.mark.xdist_group("e2e")]

PYTHON = """
from flowflare.review.policy import policy

@policy("few", severity="warning")
def few(stack):
    if stack.plan.changed > 3:
        yield stack.violation(f"{stack.plan.changed} changes at once")
"""


def test_an_error_stops_an_up_and_an_accepted_one_does_not(project: Project) -> None:
    at = ("-C", str(project.root))
    (project.root / "infra/policies.py").write_text(PYTHON)
    wanted = {"protection": {"environments": ["local"]}, "python": ["infra/policies.py"]}
    project.configure(f"flowflare:policies: {json.dumps(wanted)}")
    answer = flowflare("up", *at)
    assert answer.code == 1
    assert "Pulumi.local.yaml:5: error protection: flowflare-service-database" in answer.err
    assert project.account.holds_nothing()

    shown = flowflare("preview", "--json", *at)
    assert shown.code == 1
    rules = [one["rule"] for one in json.loads(shown.out)["policy"]]
    assert rules == ["protection", "protection", "protection", "few"]

    accepted = wanted | {"accept": {"protection": {"local": "It is a toy."}}}
    project.edit("Pulumi.local.yaml", json.dumps(wanted), json.dumps(accepted))
    answer = flowflare("up", *at)
    assert answer.code == 0, answer.err
    assert "(accepted: It is a toy.)" in answer.err
    assert project.account.databases() == ["local-flowflare-db"]

    # A rotation is an `up` too.
    strict = accepted | {"api-calls": {"max": 0}}
    project.edit("Pulumi.local.yaml", json.dumps(accepted), json.dumps(strict))
    answer = flowflare("secrets", "rotate", *at)
    assert answer.code == 1
    assert "error api-calls" in answer.err
    told = json.loads(flowflare("secrets", "status", *at, "--json").out)
    assert told["api_keys"]["accepted"] == [1]
    project.edit("Pulumi.local.yaml", json.dumps(strict), json.dumps(accepted))

    # The program against the state that this has left: the same, then one variable more.
    assert compare_with_state(project.root, ["local"]) == ((), ("local",))
    override = {"orders": {"variables": {"SHOP": "books"}}}
    project.configure(f"flowflare:clientOverrides: {json.dumps(override)}")
    before = project.account.last_request()
    (section,), unchanged = compare_with_state(project.root, ["local"])
    assert (section.stacks, section.kind, section.error, unchanged) == (
        ("local",),
        "changed",
        "",
        (),
    )
    assert section.review is not None
    (entry,) = [one for one in section.review.entries if one.op != "same"]
    assert [one.name for one in entry.bindings_added] == ["SHOP"]
    assert project.account.requests(before) == []
