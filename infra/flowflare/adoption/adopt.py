"""Takes an account's things into a stack: looks, checks everything, and writes only then.

The order of writing is: names into the stack's file, ledgers of D1, state. Whichever of them a run
that was killed had done, the next one finds it done and ends the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Any, Final

from flowflare.adoption.adopter import Adopter, is_thing, without
from flowflare.adoption.key import KeyChoice
from flowflare.adoption.model import Adoption, Entry
from flowflare.adoption.names import TRACKER_TAG, written_names
from flowflare.adoption.owners import identity_of, owned_elsewhere, states_beside
from flowflare.api import Client
from flowflare.config.edit_paths import set_paths
from flowflare.config.engine import EngineName
from flowflare.config.files import ConfigValue, Project
from flowflare.engine.ledger import Ledger
from flowflare.engine.providers.registry import Providers
from flowflare.engine.report import Report
from flowflare.engine.state_edit import StateEdit
from flowflare.errors import AdoptionError
from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Key
from flowflare.kinds.api_key.adopt import ADOPTED
from flowflare.reading.json_text import parse_json
from flowflare.review.drift.compare import compare_with_account
from flowflare.review.words import shorten_type
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.values.events import Plan
from flowflare.values.urns import name_of

_ORDER: Final = ("found", "managed", "kept", "different", "missing", "foreign")


@dataclass(frozen=True)
class Place:
    """Where things are taken from.

    Attributes:
        client: the API.
        account_id: the account.
        engine: whose the stack is.
    """

    client: Client
    account_id: str
    engine: EngineName


@dataclass(frozen=True)
class Outcome:
    """What would be written, once all is found to be right.

    Attributes:
        document: what is told of it.
        deployment: the new state.
        settings: keys for the stack's file, each with its path below `config:`.
    """

    document: Adoption
    deployment: Deployment
    settings: Mapping[tuple[str, ...], str]
    ledgers: Sequence[Callable[[], None]] = field(repr=False, default=())


@dataclass(frozen=True)
class Ran:
    """What a run of the program over an account came to.

    Attributes:
        records: all records, those of what is missing too.
        adopter: what answered.
        failures: resources that could not be looked at, sentences.
    """

    records: tuple[Resource, ...]
    adopter: Adopter
    failures: tuple[str, ...]


Open = Callable[[Project], StateEdit]


def look(
    project: Project,
    place: Place,
    opened: Open,
    key: KeyChoice,
    names: Mapping[str, str],
) -> tuple[Outcome, StateEdit]:
    """Looks at everything and changes nothing.

    Args:
        project: the project seen through the stack.
        place: the account.
        opened: opens the stack of a project.
        key: what is decided about the API key.
        names: names in the account that were chosen, by their key: `service`, `clients.orders`.

    Returns:
        What would be written, with `refusals` in its document where it must not, and the stack.

    Raises:
        FlowflareError: configuration, state, program or account are not in order.
    """
    account = Account(place.client, place.account_id)
    settings = written_names(project, names)
    seen = _with(project, settings)
    target = opened(seen)
    _refuse_pending(target.deployment)
    taken, told = Key("", key.resource), Findings()
    if not any(one.name.endswith(key.resource) for one in target.deployment.resources):
        taken, told = key.taken(account, place.client)
    findings, ran = _run(target, account, taken)
    if findings.tag:
        settings = {**settings, (TRACKER_TAG,): findings.tag}
        seen = _with(project, settings)
        target = opened(seen)
        findings, ran = _run(target, account, taken)
    findings.refusals[:0], findings.notes[:0] = told.refusals, told.notes
    findings.refusals += [one for one in ran.failures if one not in findings.refusals]
    if findings.unread:
        listed = ", ".join(sorted(findings.unread))
        findings.note(
            "Nobody can read a secret back. These are taken to have the values that the program "
            f"gives them: {listed}."
        )
    deployment = Deployment(without(ran.records, ran.adopter.looked.missing))
    entries = ran.adopter.looked.entries
    if not any(one.status in ("found", "different", "managed") for one in entries):
        findings.refuse(
            "the account has nothing of what the program declares",
            "Is it the right account? To make everything anew: flowflare up",
        )
    _refuse_others(deployment, target, findings)
    plan = Plan() if findings.refusals else target.plan_after(deployment)
    _refuse_losses(plan, findings)
    foreign = _foreign(deployment, account, project.stack, place)
    document = Adoption(
        project=project.name,
        stack=project.stack,
        account=place.account_id,
        dry_run=True,
        entries=_sorted([*entries, *foreign]),
        names={".".join(path).removeprefix("flowflare:"): name for path, name in settings.items()},
        baselines=tuple(baseline for baseline, _ in findings.baselines),
        notes=tuple(findings.notes),
        refusals=tuple(dict.fromkeys(findings.refusals)),
        next_changes=plan.changed,
    )
    ledgers = [write for _, write in findings.baselines]
    return Outcome(document, deployment, settings, ledgers), target


def write(project: Project, outcome: Outcome, target: StateEdit) -> Adoption:
    """Writes what was looked at: the stack's file, ledgers, state.

    Raises:
        AdoptionError: it must not be; nothing was written.
        FlowflareError: another run holds the stack, or D1 does not answer.
    """
    document = outcome.document
    if document.refusals:
        raise refusal(document)

    def before() -> None:
        if outcome.settings:
            set_paths(project.stack_file, outcome.settings)
        for ledger in outcome.ledgers:
            ledger()

    if document.adopted or outcome.settings or outcome.ledgers:
        target.write(outcome.deployment, before)
    return document.model_copy(update={"dry_run": False})


def refusal(document: Adoption) -> AdoptionError:
    """Why nothing was taken over, every reason at once."""
    count = len(document.refusals)
    reasons = "1 reason" if count == 1 else f"{count} reasons"
    lines = "\n".join(f"  {one}" for one in document.refusals)
    return AdoptionError(
        f"stack {document.stack} cannot take over what is in account {document.account}, for "
        f"{reasons}:\n{lines}",
        remedy="Nothing was changed. What is there is listed by: flowflare adopt --dry-run"
        f" --stack {quote(document.stack)}",
    )


def with_names(project: Project, names: Mapping[str, str]) -> Project:
    """The project with names that were chosen, without writing them."""
    return _with(project, written_names(project, names))


def _run(target: StateEdit, account: Account, key: Key) -> tuple[Findings, Ran]:
    findings = Findings(key=key)

    def make(ledger: Ledger, providers: Providers, report: Report) -> Adopter:
        return Adopter(ledger, providers, report, account=account, findings=findings)

    ledger, adopter, report = target.run_over(make)
    failures = tuple(f"{one.name}: {one.reason}" for one in report.failures)
    return findings, Ran(ledger.all(), adopter, failures)


def _with(project: Project, settings: Mapping[tuple[str, ...], str]) -> Project:
    """The project as its stack's file will say, without writing it."""
    if not settings:
        return project
    values = dict(project.values)
    merged: dict[str, Any] = {}
    for (key, *inner), text in settings.items():
        if not inner:
            merged[key] = text
            continue
        before = values[key].text if key in values else "{}"
        block = merged.setdefault(key, parse_json(before))
        for part in inner[:-1]:
            block = block.setdefault(part, {})
        block[inner[-1]] = text
    for key, value in merged.items():
        text = value if isinstance(value, str) else json.dumps(value)
        values[key] = ConfigValue(text, secret=False, file=project.stack_file.name, line=1)
    return replace(project, values=values)


def _refuse_pending(deployment: Deployment) -> None:
    if deployment.pending:
        names = ", ".join(name_of(one.resource.urn) for one in deployment.pending)
        raise AdoptionError(
            f"an interrupted run of this stack left in doubt: {names}",
            remedy="Run flowflare up first: it sees to them.",
        )


def _refuse_others(deployment: Deployment, target: StateEdit, findings: Findings) -> None:
    before = {one.urn for one in target.deployment.resources}
    new = [one for one in deployment.resources if is_thing(one) and one.urn not in before]
    beside = states_beside(*target.neighbours) if target.neighbours else ()
    for one, stack in owned_elsewhere(new, beside):
        findings.refuse(
            f"{one.name} ({shorten_type(one.type)} {one.id}) is stack {stack}'s already",
            "Two stacks with one thing undo each other's changes. Take it out of that stack "
            "first: pulumi state delete",
        )
    ids = {identity_of(one): one for one in target.deployment.resources if is_thing(one)}
    for one in new:
        other = ids.get(identity_of(one))
        if other is not None and other.urn != one.urn and one.id != ADOPTED:
            findings.refuse(
                f"{one.name} ({shorten_type(one.type)} {one.id}) stands in this stack's state "
                f"already, as {other.name}"
            )


def _refuse_losses(plan: Plan, findings: Findings) -> None:
    """What a next `up` would replace is not what the program declares: it holds data."""
    for failure in plan.failures:
        findings.refuse(f"after it the next up would be refused: {failure.name}: {failure.reason}")
    told = {failure.urn for failure in plan.failures}
    for step in plan.steps:
        if step.custom and step.op == "replace" and step.urn not in told:
            why = ", ".join(step.replaces)
            findings.refuse(
                f"after adopting, the next up would replace {step.name} "
                f"({shorten_type(step.type)}), because {why} differs in the program",
                "Change the configuration to match the account.",
            )


def _foreign(deployment: Deployment, account: Account, stack: str, place: Place) -> Iterator[Entry]:
    """What is in the account beside the stack, at its scripts and databases."""
    for one in compare_with_account(deployment, account, stack=stack, engine=place.engine).findings:
        if one.kind == "extra" and not one.path.startswith(("bindings", "applied")):
            yield Entry(
                status="foreign",
                resource=one.resource,
                type=one.type.rpartition(":")[2],
                message=one.message,
            )


def _sorted(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda one: (_ORDER.index(one.status), one.resource)))
