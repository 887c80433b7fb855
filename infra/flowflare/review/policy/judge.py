"""Judge a stack by the policies that its configuration switches on."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from flowflare.config.problems import Places
from flowflare.config.schema.policies import PoliciesConfig
from flowflare.errors import PolicyError
from flowflare.policies.contract import Policy
from flowflare.policies.registry import BY_NAME
from flowflare.policies.view import Stack, Violation, freeze
from flowflare.reading.json_text import parse_json
from flowflare.review.policy.declare import DeclaredPolicy, find_place, load_policies
from flowflare.review.policy.findings import PolicyFinding
from flowflare.review.policy.view import list_planned

if TYPE_CHECKING:
    from flowflare.config.files import Project
    from flowflare.review.entries import Review
    from flowflare.values.events import Plan

KEY: Final = "flowflare:policies"
_PREFIX: Final = "flowflare:"


def judge(
    project: "Project", plan: "Plan", review: "Review", today: date | None = None
) -> Sequence[PolicyFinding]:
    """Judge what `up` of a stack would do.

    Args:
        plan: what `up` would do.
        today: the date from which ages are counted; by default the current date in UTC.

    Returns:
        The findings, errors first; empty if no policy is switched on.

    Raises:
        PolicyError: a file with policies cannot be used.
    """
    policies = read_policies(project)
    if policies is None:
        return ()
    stack = Stack(
        project=project.name,
        name=project.stack,
        tenant=_read_value(project, "tenant"),
        environment=_read_value(project, "environment") or project.stack,
        resources=list_planned(plan),
        configuration=freeze(list_configuration(project)),
        plan=review,
    )
    own = load_policies(project.root, policies.python, BY_NAME)
    built_in = run_built_in(stack, policies, today or datetime.now(UTC).date())
    found = [*built_in, *run_python(stack, own)]
    places = Places(project.places, project.stack)
    return add_reasons(found, policies, stack.name, [declared.name for declared in own], places)


def read_policies(project: "Project") -> PoliciesConfig | None:
    """Read the policies of a stack; None if the configuration has none, or invalid ones.

    The check of the configuration reports what is invalid.
    """
    value = project.values.get(KEY)
    return None if value is None else parse_policies(value.text)


def parse_policies(text: str) -> PoliciesConfig | None:
    """Parse the policies in a configuration value; None if they are invalid."""
    try:
        return PoliciesConfig.model_validate(parse_json(text))
    except (ValidationError, ValueError):
        return None


def list_configuration(project: "Project") -> dict[str, Any]:
    """Return our configuration keys without their prefix, parsed, without secrets and policies."""
    found = {}
    for key, value in project.values.items():
        if key.startswith(_PREFIX) and key != KEY and not value.secret:
            found[key.removeprefix(_PREFIX)] = _parse_value(value.text)
    return found


def run_built_in(
    stack: Stack, policies: PoliciesConfig, today: date
) -> Iterator[tuple[str, str, Violation]]:
    """Run the policies of this package: yield name, severity and violation."""
    for name, policy in policies.built_in().items():
        if not _applies(policy, stack.environment):
            continue
        yield from ((name, policy.severity, found) for found in policy.check(stack, today))


def run_python(stack: Stack, own: Iterable[DeclaredPolicy]) -> Iterator[tuple[str, str, Violation]]:
    """Run the team's own policies. A policy that fails is itself a finding."""
    for declared in own:
        try:
            found = [_check_violation(item) for item in declared.check(stack) or ()]
        except Exception as error:  # noqa: BLE001 -- the team's code may fail in any way
            place = find_place(error, declared.file)
            message = f"the policy failed: {place}: {type(error).__name__}: {error}"
            yield declared.name, "error", Violation(message, "Correct the policy.")
        else:
            yield from ((declared.name, declared.severity, violation) for violation in found)


def add_reasons(
    found: Iterable[tuple[str, str, Violation]],
    policies: PoliciesConfig,
    stack: str,
    own: Iterable[str],
    places: Places,
) -> tuple[PolicyFinding, ...]:
    """Add the reasons that the configuration gives to the findings, and sort errors first.

    Args:
        found: name, severity and violation of each finding.
        stack: the stack's name, under which all findings of a policy may be accepted.
        own: names of the team's own policies.
        places: finds files and lines.
    """
    made = []
    for rule, severity, violation in found:
        reasons = policies.accept.get(rule, {})
        place = places.of((violation.key,)) if violation.key else ""
        made.append(
            PolicyFinding(
                rule=rule,
                severity="error" if severity == "error" else "warning",
                resource=violation.resource,
                place=place if ":" in place else "",
                message=violation.message,
                remedy=violation.remedy,
                accepted=reasons.get(violation.resource) or reasons.get(stack),
            )
        )
    known = {*BY_NAME, *own}
    made += [
        PolicyFinding(
            rule="accept",
            severity="warning",
            place=places.of(("policies", "accept", name)),
            message=f"accepts {name}, which is not a policy",
            remedy=f"Policies: {', '.join(sorted(known))}.",
        )
        for name in policies.accept
        if name not in known
    ]
    made.sort(
        key=lambda item: (not item.stops, item.severity, item.rule, item.resource, item.message)
    )
    return tuple(made)


def stop_on_errors(found: Sequence[PolicyFinding]) -> None:
    """Stop an `up` if a policy finding is an error that is not accepted.

    Raises:
        PolicyError: lists every such finding.
    """
    stopping = [finding for finding in found if finding.stops]
    if not stopping:
        return
    one_only = len(stopping) == 1
    count = "1 policy finding stops" if one_only else f"{len(stopping)} policy findings stop"
    lines = "\n".join(f"  {finding}" for finding in stopping)
    raise PolicyError(
        f"{count} `up`; nothing was deployed:\n{lines}",
        remedy="Correct it, or accept it with a reason: flowflare:policies: accept: "
        "{<policy>: {<resource or stack>: <reason>}}",
    )


def _check_violation(value: object) -> Violation:
    if not isinstance(value, Violation):
        raise TypeError(f"it yields {type(value).__name__}, not Violation")
    return value


def _applies(policy: Policy, environment: str) -> bool:
    patterns = policy.environments
    return patterns is None or any(fnmatchcase(environment, pattern) for pattern in patterns)


def _read_value(project: "Project", key: str) -> str:
    found = project.values.get(f"{_PREFIX}{key}")
    return found.text if found is not None and not found.secret else ""


def _parse_value(text: str) -> Any:
    if text[:1] not in "[{":
        return {"true": True, "false": False}.get(text, text)
    try:
        return parse_json(text)
    except ValueError:
        return text
