"""Define the policies about Workers: origins, compatibility dates, addresses, logs, variables."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from flowflare.kinds import (
    d1_database,
    workers_custom_domain,
    workers_route,
    workers_script,
    workers_script_subdomain,
    workflow,
)
from flowflare.kinds.bindings.registry import find_binding_type
from flowflare.model.written import Date, refusal
from flowflare.policies.contract import Policy, ProductionPolicy
from flowflare.policies.view import Resource, Stack, Violation

_NAMED = {
    "script": (workers_script.KIND, "scriptName"),
    "database": (d1_database.KIND, "name"),
    "workflow": (workflow.KIND, "workflowName"),
}


def _check_regex(value: str) -> str:
    try:
        re.compile(value.format(tenant="t", environment="e"))
    except (re.error, LookupError, ValueError) as error:
        remedy = 'For example "^{tenant}-{environment}-"; write a literal brace twice.'
        raise refusal(f"is {value!r}, which is not a valid pattern: {error}", remedy) from None
    return value


class NamePattern(Policy):
    """Names in the account match a pattern."""

    name = "name-pattern"
    pattern: Annotated[str, AfterValidator(_check_regex)] = Field(
        description="A regular expression that each name must contain; `{tenant}` and "
        "`{environment}` are replaced with the stack's."
    )
    types: list[Literal["script", "database", "workflow"]] = Field(
        default=["script", "database", "workflow"], description="Which names are checked."
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        own = {"tenant": re.escape(stack.tenant), "environment": re.escape(stack.environment)}
        pattern = re.compile(self.pattern.format(**own))
        for what in self.types:
            kind, key = _NAMED[what]
            for resource in stack.of_type(kind.name):
                name = str(resource.inputs.get(key) or "")
                if not pattern.search(name):
                    message = f"the {what} is named {name}, which {pattern.pattern} does not match"
                    yield resource.violation(
                        message, remedy="Set the tenant, or a name in flowflare:names.", key="names"
                    )


class AllowedOrigins(ProductionPolicy):
    """Only some websites may call the service."""

    name = "allowed-origins"
    origins: list[str] | None = Field(
        default=None,
        description="Origins that may be allowed, `*` matches any characters; "
        "by default any except `*`.",
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        for origin in stack.configuration.get("allowedOrigins") or ():
            text = str(origin)
            if text == "*":
                message = "every website may call the service: `*` is an allowed origin"
            elif self.origins is not None and not _matches(text, self.origins):
                message = (
                    f"the origin {text} may call the service, but the policy does not allow it"
                )
            else:
                continue
            yield stack.violation(
                message,
                remedy="Name the websites that call the service: https://admin.example.com",
                key="allowedOrigins",
            )


class RecentCompatibilityDate(Policy):
    """Compatibility dates are recent."""

    name = "compatibility-date"
    months: Annotated[int, Field(ge=0, le=600)] = Field(
        default=12, description="The highest age in months."
    )
    as_of: Date | None = Field(
        default=None,
        description="The date to count from. The default is the commit's date in `flowflare diff`, "
        "so that the same commits give the same report, and today in `preview` and `up`.",
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        from_date = date.fromisoformat(self.as_of) if self.as_of else today
        oldest = subtract_months(from_date, self.months)
        for script in stack.of_type(workers_script.KIND.name):
            text = str(script.inputs.get("compatibilityDate") or "")
            try:
                is_old = date.fromisoformat(text) < oldest
            except ValueError:
                continue
            if is_old:
                message = (
                    f"its compatibility date is {text}, older than {self.months} months "
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


class NoWorkersDev(ProductionPolicy):
    """No Worker has a workers.dev URL."""

    name = "no-workers-dev"

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        for subdomain in stack.of_type(workers_script_subdomain.KIND.name):
            for key, what in (("enabled", "workers.dev"), ("previewsEnabled", "preview URLs")):
                if subdomain.inputs.get(key) is True:
                    yield subdomain.violation(
                        f"{subdomain.inputs.get('scriptName')} is reachable at {what}",
                        remedy="Set workersDev: false, and add a route or a custom domain.",
                        key="workersDev",
                    )


class AllowedRoutes(ProductionPolicy):
    """Workers only have allowed routes and custom domains."""

    name = "allowed-routes"
    patterns: list[str] = Field(
        default_factory=list,
        description="Allowed patterns of routes and hostnames, `*` matches any characters; "
        "by default none.",
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        route = workers_route.KIND.name
        for address_resource in stack.of_type(route, workers_custom_domain.KIND.name):
            is_route = address_resource.kind == route
            address = str(address_resource.inputs.get("pattern" if is_route else "hostname") or "")
            if not _matches(address, self.patterns):
                what = "route" if is_route else "custom domain"
                yield address_resource.violation(
                    f"the {what} {address} is public, but the policy does not allow it",
                    remedy="Remove it, or add it to the policy's patterns.",
                    key="routes" if is_route else "domains",
                )


class KeptLogs(ProductionPolicy):
    """Every Worker's logs are kept."""

    name = "observability"
    rate: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0, description="The lowest share of calls that is sampled, from 0 to 1."
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        for script in stack.of_type(workers_script.KIND.name):
            kept = _as_mapping(script.inputs.get("observability"))
            rate = kept.get("headSamplingRate")
            if kept.get("enabled") is not True:
                message = "Cloudflare does not keep its logs"
            elif isinstance(rate, int | float) and rate < self.rate:
                message = f"Cloudflare logs {rate:g} of its requests, less than {self.rate:g}"
            else:
                continue
            yield script.violation(message, remedy="Set observability: true", key="observability")


class NoPlainSecrets(Policy):
    """No plain variable has the name of a secret."""

    name = "no-plain-secrets"
    names: list[str] = Field(
        default=["*_KEY", "*_TOKEN", "*_SECRET", "*_PASSWORD"],
        description="Names of variables that look like secrets, `*` matches any characters.",
    )

    def check(self, stack: Stack, today: date) -> Iterator[Violation]:
        """Yield the violations of a stack."""
        for script in stack.of_type(workers_script.KIND.name):
            for binding in _list_bindings(script):
                name, type_ = str(binding.get("name")), str(binding.get("type"))
                if find_binding_type(type_).word == "variable" and _matches(name, self.names):
                    yield script.violation(
                        f"the variable {name} is readable by everyone who sees the Worker's "
                        "settings",
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
