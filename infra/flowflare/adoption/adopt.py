"""Adopt an account's resources into a stack: read and check everything first, then write.

It writes in this order: names in the stack's file, ledgers of D1 migrations, state. If a run is
    killed, the next run finds what was written and continues with the same result.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Any, Final

from flowflare.adoption.adopter import Adopter, drop_missing, is_thing
from flowflare.adoption.key import KeyChoice
from flowflare.adoption.model import Adoption, Entry
from flowflare.adoption.names import TRACKER_TAG, place_names
from flowflare.adoption.owners import find_owned_elsewhere, identify, read_other_states
from flowflare.api import Client
from flowflare.config.edit import set_values
from flowflare.config.engine import EngineName
from flowflare.config.files import Project
from flowflare.config.values import ConfigValue
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.embedded.state_edit import StateEdit
from flowflare.engine.report import RunLog
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
class AdoptionSource:
    """The account to adopt from."""

    client: Client
    account_id: str
    engine: EngineName


@dataclass(frozen=True)
class AdoptionPlan:
    """What would be written if nothing is refused.

    Attributes:
        document: describes it for the user.
        deployment: the new state.
        settings: keys for the stack's file, by path below `config:`.
        ledgers: functions that write the ledgers of D1 migrations.
    """

    document: Adoption
    deployment: Deployment
    settings: Mapping[tuple[str, ...], str]
    ledgers: Sequence[Callable[[], None]] = field(repr=False, default=())


@dataclass(frozen=True)
class ProgramRun:
    """The result of running the program over an account.

    Attributes:
        records: all records, including those of missing resources.
        adopter: the adopter that served the run.
        failures: sentences about resources that could not be read.
    """

    records: tuple[Resource, ...]
    adopter: Adopter
    failures: tuple[str, ...]


OpenStack = Callable[[Project], StateEdit]


def plan_adoption(
    project: Project,
    place: AdoptionSource,
    opened: OpenStack,
    key: KeyChoice,
    names: Mapping[str, str],
) -> tuple[AdoptionPlan, StateEdit]:
    """Read and check everything, without changing anything.

    Args:
        opened: opens the stack of a project.
        names: chosen names in the account by their key: `service`, `clients.orders`.

    Returns:
        What would be written, with `refusals` in its document if it must not be, and the stack.

    Raises:
        FlowflareError: configuration, state, program or account are invalid.
    """
    account = Account(place.client, place.account_id)
    settings = place_names(project, names)
    seen = _apply_settings(project, settings)
    target = opened(seen)
    _refuse_pending(target.deployment)
    chosen, key_findings = Key("", key.resource), Findings()
    if not any(record.name.endswith(key.resource) for record in target.deployment.resources):
        chosen, key_findings = key.choose(account, place.client)
    findings, ran = _run_program(target, account, chosen)
    if findings.tag:
        settings = {**settings, (TRACKER_TAG,): findings.tag}
        seen = _apply_settings(project, settings)
        target = opened(seen)
        findings, ran = _run_program(target, account, chosen)
    findings.refusals[:0], findings.notes[:0] = key_findings.refusals, key_findings.notes
    findings.refusals += [text for text in ran.failures if text not in findings.refusals]
    if findings.unread:
        listed = ", ".join(sorted(findings.unread))
        findings.note(
            "Cloudflare does not return the values of secrets. Flowflare assumes that these "
            f"secrets have the program's values: {listed}."
        )
    deployment = Deployment(drop_missing(ran.records, ran.adopter.lookups.missing))
    entries = ran.adopter.lookups.entries
    if not any(entry.status in ("found", "different", "managed") for entry in entries):
        findings.refuse(
            "the account has none of the resources that the program declares",
            "Check the account ID. To create everything: flowflare up",
        )
    _refuse_others(deployment, target, findings)
    plan = Plan() if findings.refusals else target.plan_after(deployment)
    _refuse_losses(plan, findings)
    foreign = _list_foreign(deployment, account, project.stack, place)
    document = Adoption(
        project=project.name,
        stack=project.stack,
        account=place.account_id,
        dry_run=True,
        entries=_sort([*entries, *foreign]),
        names={".".join(path).removeprefix("flowflare:"): name for path, name in settings.items()},
        baselines=tuple(baseline for baseline, _ in findings.baselines),
        notes=tuple(findings.notes),
        refusals=tuple(dict.fromkeys(findings.refusals)),
        next_changes=plan.changed,
    )
    ledgers = [write_adoption for _, write_adoption in findings.baselines]
    return AdoptionPlan(document, deployment, settings, ledgers), target


def write_adoption(project: Project, outcome: AdoptionPlan, target: StateEdit) -> Adoption:
    """Write the result of `plan_adoption`: the stack's file, ledgers, state.

    Raises:
        AdoptionError: something is refused; nothing was written.
        FlowflareError: another run holds the stack's lock, or D1 does not respond.
    """
    document = outcome.document
    if document.refusals:
        raise make_refusal(document)

    def before() -> None:
        if outcome.settings:
            set_values(project.stack_file, outcome.settings)
        for ledger in outcome.ledgers:
            ledger()

    if document.adopted_count or outcome.settings or outcome.ledgers:
        target.write(outcome.deployment, before)
    return document.model_copy(update={"dry_run": False})


def make_refusal(document: Adoption) -> AdoptionError:
    """Make an error with every reason why nothing was adopted."""
    count = len(document.refusals)
    reasons = "1 reason" if count == 1 else f"{count} reasons"
    lines = "\n".join(f"  {reason}" for reason in document.refusals)
    return AdoptionError(
        f"stack {document.stack} cannot adopt the resources of account {document.account}, for "
        f"{reasons}:\n{lines}",
        remedy="Nothing was changed. List the account's resources: flowflare adopt --dry-run"
        f" --stack {quote(document.stack)}",
    )


def choose_names(project: Project, names: Mapping[str, str]) -> Project:
    """Return the project with the chosen names, without writing them."""
    return _apply_settings(project, place_names(project, names))


def _run_program(target: StateEdit, account: Account, key: Key) -> tuple[Findings, ProgramRun]:
    findings = Findings(key=key)

    def make(ledger: Ledger, providers: Providers, report: RunLog) -> Adopter:
        return Adopter(ledger, providers, report, account=account, findings=findings)

    ledger, adopter, report = target.run_over(make)
    failures = tuple(f"{failure.name}: {failure.reason}" for failure in report.failures)
    return findings, ProgramRun(ledger.all(), adopter, failures)


def _apply_settings(project: Project, settings: Mapping[tuple[str, ...], str]) -> Project:
    """Return the project as its stack's file will be, without writing it."""
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
        names = ", ".join(name_of(pending.resource.urn) for pending in deployment.pending)
        raise AdoptionError(
            f"an interrupted run of this stack left these resources in an unknown state: {names}",
            remedy="Run flowflare up first, which repairs them.",
        )


def _refuse_others(deployment: Deployment, target: StateEdit, findings: Findings) -> None:
    before = {record.urn for record in target.deployment.resources}
    new = [
        record for record in deployment.resources if is_thing(record) and record.urn not in before
    ]
    beside = read_other_states(*target.neighbours) if target.neighbours else ()
    for record, stack in find_owned_elsewhere(new, beside):
        findings.refuse(
            f"{record.name} ({shorten_type(record.type)} {record.id}) belongs to stack {stack}",
            "Two stacks with the same resource undo each other's changes. Remove it from that "
            "stack first: pulumi state delete",
        )
    ids = {identify(record): record for record in target.deployment.resources if is_thing(record)}
    for record in new:
        other = ids.get(identify(record))
        if other is not None and other.urn != record.urn and record.id != ADOPTED:
            findings.refuse(
                f"{record.name} ({shorten_type(record.type)} {record.id}) is already in this "
                f"stack's state, as {other.name}"
            )


def _refuse_losses(plan: Plan, findings: Findings) -> None:
    """Refuse what the next `up` would replace, because a replaced resource may hold data."""
    for failure in plan.failures:
        findings.refuse(f"the next up would be refused: {failure.name}: {failure.reason}")
    failed = {failure.urn for failure in plan.failures}
    for step in plan.steps:
        if step.custom and step.op == "replace" and step.urn not in failed:
            why = ", ".join(step.replaces)
            findings.refuse(
                f"after adopting, the next up would replace {step.name} "
                f"({shorten_type(step.type)}), because {why} differs in the program",
                "Change the configuration to match the account.",
            )


def _list_foreign(
    deployment: Deployment, account: Account, stack: str, place: AdoptionSource
) -> Iterator[Entry]:
    """List additions in the account to the stack's scripts and databases."""
    drift = compare_with_account(deployment, account, stack=stack, engine=place.engine)
    for difference in drift.findings:
        if difference.kind == "extra" and not difference.path.startswith(("bindings", "applied")):
            yield Entry(
                status="foreign",
                resource=difference.resource,
                type=difference.type.rpartition(":")[2],
                message=difference.message,
            )


def _sort(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: (_ORDER.index(entry.status), entry.resource)))
