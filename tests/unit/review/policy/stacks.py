"""Make stacks as policies see them."""

from typing import Any

from flowflare.policies.view import Stack, freeze
from flowflare.review.changes import review
from flowflare.review.policy.view import list_planned
from flowflare.values.events import Plan
from tests.unit.review.steps import step

SCRIPT: dict[str, Any] = {
    "scriptName": "shop-prod-service",
    "compatibilityDate": "2026-11-01",
    "observability": {"enabled": True, "headSamplingRate": 1.0},
    "bindings": [{"name": "API_KEY", "type": "secret_text", "text": "[secret]"}],
}
DATABASE: dict[str, Any] = {"name": "shop-prod-db"}
HISTORY: dict[str, Any] = {"script_name": "shop-prod-service", "history": []}


def stack(
    *more: tuple[str, dict[str, Any]],
    configuration: dict[str, Any] | None = None,
    protect: bool = True,
    environment: str = "prod",
    script: dict[str, Any] | None = None,
    database: dict[str, Any] | None = None,
) -> Stack:
    """Make a production stack that breaks no policy, except by the given inputs."""
    given = [
        ("WorkersScript", SCRIPT | (script or {})),
        ("D1Database", DATABASE | (database or {})),
        ("DurableObjectMigrations", HISTORY),
        *more,
    ]
    steps = [step("create", kind, None, new, protect=protect) for kind, new in given]
    plan = Plan(tuple(steps))
    return Stack(
        project="tracking",
        name="live",
        tenant="shop",
        environment=environment,
        resources=list_planned(plan),
        configuration=freeze(configuration or {}),
        plan=review(plan),
    )
