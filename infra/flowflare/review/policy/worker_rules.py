"""The policies about Workers: origins, runtime dates, addresses, logs, variables."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from flowflare.config.schema.policies import (
    AllowedOriginsConfig,
    AllowedRoutesConfig,
    CompatibilityDateConfig,
    NamePatternConfig,
    ObservabilityPolicyConfig,
    PlainSecretsConfig,
    PolicyConfig,
)
from flowflare.review.policy.view import Resource, Stack, Violation

_NAMED = {
    "script": ("WorkersScript", "scriptName"),
    "database": ("D1Database", "name"),
    "workflow": ("Workflow", "workflowName"),
}


def name_pattern(stack: Stack, wants: NamePatternConfig) -> Iterator[Violation]:
    """Names in the account have a form."""
    own = {"tenant": re.escape(stack.tenant), "environment": re.escape(stack.environment)}
    pattern = re.compile(wants.pattern.format(**own))
    for what in wants.types:
        kind, key = _NAMED[what]
        for one in stack.of_type(kind):
            name = str(one.inputs.get(key) or "")
            if not pattern.search(name):
                message = f"the {what} is called {name}, which {pattern.pattern} does not match"
                yield one.violation(
                    message, remedy="Set the tenant, or a name in flowflare:names.", key="names"
                )


def allowed_origins(stack: Stack, wants: AllowedOriginsConfig) -> Iterator[Violation]:
    """Not every website may call the service."""
    for origin in stack.configuration.get("allowedOrigins") or ():
        text = str(origin)
        if text == "*":
            message = "every website may call the service: allowed origins have `*`"
        elif wants.origins is not None and not _matches(text, wants.origins):
            message = f"the origin {text} may call the service, and the policy does not know it"
        else:
            continue
        yield stack.violation(
            message,
            remedy="Name the websites that need it: https://admin.example.com",
            key="allowedOrigins",
        )


def compatibility_date(
    stack: Stack, wants: CompatibilityDateConfig, today: date
) -> Iterator[Violation]:
    """Compatibility dates are not old."""
    from_date = date.fromisoformat(wants.as_of) if wants.as_of else today
    oldest = months_before(from_date, wants.months)
    for one in stack.of_type("WorkersScript"):
        text = str(one.inputs.get("compatibilityDate") or "")
        try:
            is_old = date.fromisoformat(text) < oldest
        except ValueError:
            continue
        if is_old:
            message = (
                f"its compatibility date is {text}, older than {wants.months} months "
                f"before {from_date.isoformat()}"
            )
            yield one.violation(
                message,
                remedy=f"Test it with a date from {oldest.isoformat()} on and set "
                "compatibilityDate to it.",
                key="compatibilityDate",
            )


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; the month's last where it has no such day."""
    index = day.year * 12 + day.month - 1 - months
    year, month = max(1, index // 12), index % 12 + 1
    for last in range(day.day, 27, -1):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    return date(year, month, day.day)


def no_workers_dev(stack: Stack, _wants: PolicyConfig) -> Iterator[Violation]:
    """No Worker answers at workers.dev."""
    for one in stack.of_type("WorkersScriptSubdomain"):
        for key, what in (("enabled", "workers.dev"), ("previewsEnabled", "preview URLs")):
            if one.inputs.get(key) is True:
                yield one.violation(
                    f"{one.inputs.get('scriptName')} answers at {what}",
                    remedy="Set workersDev: false and give it a route or a custom domain.",
                    key="workersDev",
                )


def allowed_routes(stack: Stack, wants: AllowedRoutesConfig) -> Iterator[Violation]:
    """Only known routes and custom domains lead to a Worker."""
    for one in stack.of_type("WorkersRoute", "WorkersCustomDomain"):
        is_route = one.kind == "WorkersRoute"
        address = str(one.inputs.get("pattern" if is_route else "hostname") or "")
        if not _matches(address, wants.patterns):
            what = "route" if is_route else "custom domain"
            yield one.violation(
                f"the {what} {address} is public, and the policy does not know it",
                remedy="Take it out, or add it to the policy's patterns.",
                key="routes" if is_route else "domains",
            )


def observability(stack: Stack, wants: ObservabilityPolicyConfig) -> Iterator[Violation]:
    """Every Worker's logs are kept."""
    for one in stack.of_type("WorkersScript"):
        kept = _mapping(one.inputs.get("observability"))
        rate = kept.get("headSamplingRate")
        if kept.get("enabled") is not True:
            message = "Cloudflare keeps none of its logs"
        elif isinstance(rate, int | float) and rate < wants.rate:
            message = f"Cloudflare looks at {rate:g} of its calls, less than {wants.rate:g}"
        else:
            continue
        yield one.violation(message, remedy="Set observability: true", key="observability")


def no_plain_secrets(stack: Stack, wants: PlainSecretsConfig) -> Iterator[Violation]:
    """No variable that everybody can read has a secret's name."""
    for one in stack.of_type("WorkersScript"):
        for binding in _bindings(one):
            name = str(binding.get("name"))
            if binding.get("type") in ("plain_text", "json") and _matches(name, wants.names):
                yield one.violation(
                    f"the variable {name} can be read by everybody who sees the Worker's settings",
                    remedy="Move it to the client's `secrets`, or name it otherwise.",
                    key="clients",
                )


def _bindings(one: Resource) -> Iterator[Mapping[str, Any]]:
    given = one.inputs.get("bindings")
    for binding in given if isinstance(given, tuple) else ():
        if isinstance(binding, Mapping):
            yield binding


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _matches(text: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
