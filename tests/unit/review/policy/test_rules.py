"""Each policy of Flowflare finds its violations, and nothing in a good stack."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flowflare.config.problems import Places
from flowflare.config.schema.policies import PoliciesConfig
from flowflare.kinds.contract import Kind
from flowflare.kinds.registry import KINDS
from flowflare.policies.registry import BY_NAME
from flowflare.policies.view import Stack, freeze
from flowflare.policies.workers import subtract_months
from flowflare.review.changes import review
from flowflare.review.policy.judge import add_reasons, run_built_in
from flowflare.review.policy.view import list_planned
from flowflare.values.events import Plan
from tests.unit.migrations.golden import compare
from tests.unit.review.policy.stacks import stack
from tests.unit.review.steps import step

TODAY = date(2026, 11, 24)
EVERY: dict[str, Any] = {
    **dict.fromkeys(BY_NAME, True),
    "name-pattern": {"pattern": "^{tenant}-{environment}-"},
    "location": {"jurisdictions": ["eu"]},
    "observability": {"rate": 0.5},
    "api-calls": {"max": 100},
}
BAD = {
    "name-pattern": stack(database={"name": "other"}),
    "protection": stack(protect=False),
    "allowed-origins": stack(configuration={"allowedOrigins": ["https://a.example", "*"]}),
    "compatibility-date": stack(script={"compatibilityDate": "2025-11-23"}),
    "no-workers-dev": stack(("WorkersScriptSubdomain", {"scriptName": "s", "enabled": True})),
    "allowed-routes": stack(
        ("WorkersRoute", {"pattern": "a.example/*"}), ("WorkersCustomDomain", {"hostname": "b"})
    ),
    "observability": stack(script={"observability": {"enabled": True, "headSamplingRate": 0.25}}),
    "no-plain-secrets": stack(
        script={"bindings": [{"name": "MAIL_TOKEN", "type": "plain_text", "text": "x"}]}
    ),
    "api-calls": stack(),
    "location": stack(),
}


def find_violations(of: Stack, **written: Any) -> list[str]:
    policies = PoliciesConfig.model_validate(written)
    judged = run_built_in(of, policies, TODAY)
    judged_findings = add_reasons(judged, policies, of.name, (), Places(None, of.name))
    return [str(finding) for finding in judged_findings]


def lossy() -> Stack:
    lost = step("replace", "D1Database", {"name": "shop-prod-db"}, {"name": "b"}, name="orders-db")
    plan = Plan((lost,))
    return Stack("tracking", "live", "shop", "prod", list_planned(plan), freeze({}), review(plan))


def test_a_good_stack_breaks_no_policy() -> None:
    assert find_violations(stack(database={"jurisdiction": "eu"}), **EVERY) == []


def test_each_policy_finds_its_violation() -> None:
    tight = EVERY | {"api-calls": {"max": 1}}
    bad = {**BAD, "data-loss": lossy()}
    assert bad.keys() == BY_NAME.keys()
    text = "".join(
        f"{line}\n"
        for name in sorted(bad)
        for line in find_violations(bad[name], **{name: tight[name]})
    )
    compare(Path(__file__).parent / "findings.txt", text)


def test_a_policy_for_production_ignores_other_environments() -> None:
    toy = stack(protect=False, environment="dev")
    assert find_violations(toy, protection=True) == []
    assert len(find_violations(toy, protection={"environments": ["d*"]})) == 3


@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS if kind.own and kind.holds_data],
    ids=lambda kind: kind.name,
)
def test_protection_is_for_every_kind_that_holds_data(kind: Kind) -> None:
    found = find_violations(stack((kind.name, {}), protect=False), protection=True)
    assert len([text for text in found if kind.name.lower() in text]) == 1


def test_an_accepted_finding_is_still_listed_with_its_reason() -> None:
    reasons = {"data-loss": {"orders-db": "It is empty."}}
    (text,) = find_violations(lossy(), **{"data-loss": True, "accept": reasons})
    assert text.endswith("(accepted: It is empty.)")


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        ("2026-03-31", 1, "2026-02-28"),
        ("2026-01-15", 2, "2025-11-15"),
        ("2024-02-29", 12, "2023-02-28"),
    ],
)
def test_subtract_months(day: str, months: int, before: str) -> None:
    assert subtract_months(date.fromisoformat(day), months).isoformat() == before


def test_a_policy_cannot_change_a_stack() -> None:
    resource = stack().resources[0]
    with pytest.raises(TypeError):
        resource.inputs["name"] = "x"  # type: ignore[index]
