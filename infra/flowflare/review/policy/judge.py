"""Judges a stack by the policies that its configuration switches on."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from flowflare.config.problems import Places
from flowflare.config.schema.policies import PoliciesConfig, PolicyConfig
from flowflare.errors import PolicyError
from flowflare.reading.json_text import parse_json
from flowflare.review.policy import data_rules, worker_rules
from flowflare.review.policy.declare import Declared, load, place_of
from flowflare.review.policy.findings import PolicyFinding
from flowflare.review.policy.view import Stack, Violation, frozen, of_plan

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.review.entries import Review
    from flowflare.values.events import Plan

KEY: Final = "flowflare:policies"
_PREFIX: Final = "flowflare:"
Rule = Callable[[Stack, Any], Iterable[Violation]]
_RULES: Final[Mapping[str, Rule]] = {
    "name-pattern": worker_rules.name_pattern,
    "protection": data_rules.protection,
    "allowed-origins": worker_rules.allowed_origins,
    "no-workers-dev": worker_rules.no_workers_dev,
    "allowed-routes": worker_rules.allowed_routes,
    "observability": worker_rules.observability,
    "no-plain-secrets": worker_rules.no_plain_secrets,
    "api-calls": data_rules.api_calls,
    "data-loss": data_rules.data_loss,
    "location": data_rules.location,
}


def judge(
    project: "Project", plan: "Plan", review: "Review", today: date
) -> Sequence[PolicyFinding]:
    """Judges what an `up` of a stack would do.

    Args:
        project: the project seen through the stack.
        plan: what `up` would do.
        review: the same, reviewed.
        today: the date from which ages count.

    Returns:
        The findings, errors first; none where no policy is switched on.

    Raises:
        PolicyError: a file with policies cannot be used.
    """
    policies = policies_of(project)
    if policies is None:
        return ()
    stack = Stack(
        project=project.name,
        name=project.stack,
        tenant=_value(project, "tenant"),
        environment=_value(project, "environment") or project.stack,
        resources=of_plan(plan),
        configuration=frozen(configuration_of(project)),
        plan=review,
    )
    own = load(project.root, policies.python, _RULES)
    found = [*built_in(stack, policies, today), *python(stack, own)]
    places = Places(project.places, project.stack)
    return accepted(found, policies, stack.name, [one.name for one in own], places)


def policies_of(project: "Project") -> PoliciesConfig | None:
    """The policies of a stack; None where the configuration has none, or wrong ones.

    What is wrong with them, the configuration's own check says.
    """
    value = project.values.get(KEY)
    return None if value is None else parsed(value.text)


def parsed(text: str) -> PoliciesConfig | None:
    """The policies in a configuration value's text."""
    try:
        return PoliciesConfig.model_validate(parse_json(text))
    except (ValidationError, ValueError):
        return None


def configuration_of(project: "Project") -> dict[str, Any]:
    """The keys of our namespace without it, structured; secrets and the policies left out."""
    found = {}
    for key, value in project.values.items():
        if key.startswith(_PREFIX) and key != KEY and not value.secret:
            found[key.removeprefix(_PREFIX)] = _structured(value.text)
    return found


def built_in(
    stack: Stack, policies: PoliciesConfig, today: date
) -> Iterator[tuple[str, str, Violation]]:
    """What the policies of this package find: name, severity, what it is."""
    for name, wants in policies.built_in().items():
        if not _holds(wants, stack.environment):
            continue
        found = (
            worker_rules.compatibility_date(stack, wants, today)  # type: ignore[arg-type]
            if name == "compatibility-date"
            else _RULES[name](stack, wants)
        )
        yield from ((name, wants.severity, one) for one in found)


def python(stack: Stack, own: Iterable[Declared]) -> Iterator[tuple[str, str, Violation]]:
    """What the team's own policies find; one that fails is a finding itself."""
    for one in own:
        try:
            found = [_violation(each) for each in one.check(stack) or ()]
        except Exception as error:  # noqa: BLE001 -- whatever the team's code does
            message = f"the policy failed: {place_of(error, one.file)}: {type(error).__name__}: "
            yield one.name, "error", Violation(f"{message}{error}", "Correct the policy.")
        else:
            yield from ((one.name, one.severity, each) for each in found)


def accepted(
    found: Iterable[tuple[str, str, Violation]],
    policies: PoliciesConfig,
    stack: str,
    own: Iterable[str],
    places: Places,
) -> tuple[PolicyFinding, ...]:
    """Findings with the reasons that the configuration gives, errors first.

    Args:
        found: name, severity and violation of each.
        policies: the configuration.
        stack: the stack's name, under which all of a policy may be accepted.
        own: names of the team's own policies.
        places: finds files and lines.
    """
    made = []
    for rule, severity, one in found:
        reasons = policies.accept.get(rule, {})
        place = places.of((one.key,)) if one.key else ""
        made.append(
            PolicyFinding(
                rule=rule,
                severity="error" if severity == "error" else "warning",
                resource=one.resource,
                place=place if ":" in place else "",
                message=one.message,
                remedy=one.remedy,
                accepted=reasons.get(one.resource) or reasons.get(stack),
            )
        )
    known = {*_RULES, "compatibility-date", *own}
    made += [
        PolicyFinding(
            rule="accept",
            severity="warning",
            place=places.of(("policies", "accept", name)),
            message=f"accepts {name}, which is no policy",
            remedy=f"Policies: {', '.join(sorted(known))}.",
        )
        for name in policies.accept
        if name not in known
    ]
    made.sort(key=lambda one: (not one.stops, one.severity, one.rule, one.resource, one.message))
    return tuple(made)


def refuse(found: Sequence[PolicyFinding]) -> None:
    """Refuses an `up` that a policy's error stands against.

    Raises:
        PolicyError: every such finding.
    """
    stopping = [one for one in found if one.stops]
    if not stopping:
        return
    one_only = len(stopping) == 1
    count = "1 policy finding stops" if one_only else f"{len(stopping)} policy findings stop"
    lines = "\n".join(f"  {one}" for one in stopping)
    raise PolicyError(
        f"{count} `up`, before anything is sent:\n{lines}",
        remedy="Put it right, or accept it with a reason: flowflare:policies: accept: "
        "{<policy>: {<resource or stack>: <reason>}}",
    )


def _violation(value: object) -> Violation:
    if not isinstance(value, Violation):
        raise TypeError(f"it yields {type(value).__name__}, not a violation")
    return value


def _holds(wants: PolicyConfig, environment: str) -> bool:
    patterns = wants.environments
    return patterns is None or any(fnmatchcase(environment, one) for one in patterns)


def _value(project: "Project", key: str) -> str:
    found = project.values.get(f"{_PREFIX}{key}")
    return found.text if found is not None and not found.secret else ""


def _structured(text: str) -> Any:
    if text[:1] not in "[{":
        return {"true": True, "false": False}.get(text, text)
    try:
        return parse_json(text)
    except ValueError:
        return text
