"""Define the policies about Workers: origins, compatibility dates, addresses, logs, variables."""

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
from flowflare.kinds import (
    d1_database,
    workers_custom_domain,
    workers_route,
    workers_script,
    workers_script_subdomain,
    workflow,
)
from flowflare.kinds.bindings.registry import find_binding_type
from flowflare.review.policy.view import Resource, Stack, Violation

_NAMED = {
    "script": (workers_script.KIND, "scriptName"),
    "database": (d1_database.KIND, "name"),
    "workflow": (workflow.KIND, "workflowName"),
}


def check_name_pattern(stack: Stack, wants: NamePatternConfig) -> Iterator[Violation]:
    """Names in the account must match a pattern."""
    own = {"tenant": re.escape(stack.tenant), "environment": re.escape(stack.environment)}
    pattern = re.compile(wants.pattern.format(**own))
    for what in wants.types:
        kind, key = _NAMED[what]
        for resource in stack.of_type(kind.name):
            name = str(resource.inputs.get(key) or "")
            if not pattern.search(name):
                message = f"the {what} is named {name}, which {pattern.pattern} does not match"
                yield resource.violation(
                    message, remedy="Set the tenant, or a name in flowflare:names.", key="names"
                )


def check_allowed_origins(stack: Stack, wants: AllowedOriginsConfig) -> Iterator[Violation]:
    """Only allowed websites may call the service."""
    for origin in stack.configuration.get("allowedOrigins") or ():
        text = str(origin)
        if text == "*":
            message = "every website may call the service: `*` is an allowed origin"
        elif wants.origins is not None and not _matches(text, wants.origins):
            message = f"the origin {text} may call the service, but the policy does not allow it"
        else:
            continue
        yield stack.violation(
            message,
            remedy="Name the websites that call the service: https://admin.example.com",
            key="allowedOrigins",
        )


def check_compatibility_date(
    stack: Stack, wants: CompatibilityDateConfig, today: date
) -> Iterator[Violation]:
    """Compatibility dates must not be too old."""
    from_date = date.fromisoformat(wants.as_of) if wants.as_of else today
    oldest = subtract_months(from_date, wants.months)
    for script in stack.of_type(workers_script.KIND.name):
        text = str(script.inputs.get("compatibilityDate") or "")
        try:
            is_old = date.fromisoformat(text) < oldest
        except ValueError:
            continue
        if is_old:
            message = (
                f"its compatibility date is {text}, older than {wants.months} months "
                f"before {from_date.isoformat()}"
            )
            yield script.violation(
                message,
                remedy=f"Test it with {oldest.isoformat()} or a later date, and set "
                "compatibilityDate to that date.",
                key="compatibilityDate",
            )


def subtract_months(day: date, months: int) -> date:
    """Subtract months from a date. The day becomes the month's last day if it does not exist."""
    index = day.year * 12 + day.month - 1 - months
    year, month = max(1, index // 12), index % 12 + 1
    for last in range(day.day, 27, -1):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    return date(year, month, day.day)


def check_no_workers_dev(stack: Stack, _wants: PolicyConfig) -> Iterator[Violation]:
    """Workers must not be reachable at workers.dev."""
    for subdomain in stack.of_type(workers_script_subdomain.KIND.name):
        for key, what in (("enabled", "workers.dev"), ("previewsEnabled", "preview URLs")):
            if subdomain.inputs.get(key) is True:
                yield subdomain.violation(
                    f"{subdomain.inputs.get('scriptName')} is reachable at {what}",
                    remedy="Set workersDev: false, and add a route or a custom domain.",
                    key="workersDev",
                )


def check_allowed_routes(stack: Stack, wants: AllowedRoutesConfig) -> Iterator[Violation]:
    """Only allowed routes and custom domains may lead to a Worker."""
    route = workers_route.KIND.name
    for address_resource in stack.of_type(route, workers_custom_domain.KIND.name):
        is_route = address_resource.kind == route
        address = str(address_resource.inputs.get("pattern" if is_route else "hostname") or "")
        if not _matches(address, wants.patterns):
            what = "route" if is_route else "custom domain"
            yield address_resource.violation(
                f"the {what} {address} is public, but the policy does not allow it",
                remedy="Remove it, or add it to the policy's patterns.",
                key="routes" if is_route else "domains",
            )


def check_observability(stack: Stack, wants: ObservabilityPolicyConfig) -> Iterator[Violation]:
    """Every Worker must keep its logs."""
    for script in stack.of_type(workers_script.KIND.name):
        kept = _as_mapping(script.inputs.get("observability"))
        rate = kept.get("headSamplingRate")
        if kept.get("enabled") is not True:
            message = "Cloudflare does not keep its logs"
        elif isinstance(rate, int | float) and rate < wants.rate:
            message = f"Cloudflare logs {rate:g} of its requests, less than {wants.rate:g}"
        else:
            continue
        yield script.violation(message, remedy="Set observability: true", key="observability")


def check_no_plain_secrets(stack: Stack, wants: PlainSecretsConfig) -> Iterator[Violation]:
    """A variable that everyone can read must not have the name of a secret."""
    for script in stack.of_type(workers_script.KIND.name):
        for binding in _list_bindings(script):
            name, type_ = str(binding.get("name")), str(binding.get("type"))
            if find_binding_type(type_).word == "variable" and _matches(name, wants.names):
                yield script.violation(
                    f"the variable {name} is readable by everyone who sees the Worker's settings",
                    remedy="Move it to the client's `secrets`, or rename it.",
                    key="clients",
                )


def _list_bindings(script: Resource) -> Iterator[Mapping[str, Any]]:
    given = script.inputs.get("bindings")
    for binding in given if isinstance(given, tuple) else ():
        if isinstance(binding, Mapping):
            yield binding


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _matches(text: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
