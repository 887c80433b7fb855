"""Answer a program's registrations from the account, and keep the answers as records."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flowflare.adoption.model import Entry
from flowflare.engine.embedded.apply import Answer, Deployer
from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.provider_references import ProviderReferences
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.report import RunLog
from flowflare.errors import EngineError
from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Findings, Status, Thing, Wanted
from flowflare.kinds.contract import load_adopt
from flowflare.kinds.handler import Handler
from flowflare.kinds.plugin_state import PluginState
from flowflare.kinds.registry import find_kind
from flowflare.state.checkpoint import PROVIDER_PREFIX, Resource
from flowflare.values.properties import Props, annotate, has_unknown, make_secret, plain
from flowflare.values.wire import UNKNOWN_TEXT


@dataclass
class Lookups:
    """What the registrations found so far.

    Attributes:
        entries: one entry for each resource that can be in an account.
        missing: URNs of the resources that are missing in the account.
    """

    entries: list[Entry] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


class Adopter(Deployer):
    """Serves the registrations of a run that only reads the account.

    Args:
        ledger: the stack's state, in memory.
        findings: receives further findings.
    """

    def __init__(
        self,
        ledger: Ledger,
        providers: Providers,
        report: RunLog,
        *,
        account: Account,
        findings: Findings,
    ) -> None:
        super().__init__(ledger, providers, report, dry_run=True)
        # The providers' records become part of the state, where they need IDs.
        self._references = ProviderReferences(ledger, providers, dry_run=False)
        self._account, self._findings = account, findings
        self._lookup_lock = threading.Lock()
        self.lookups = Lookups()

    def _register_custom(self, declared: Goal, old: Resource | None) -> Answer:
        reference, provider = self._references.of(declared)
        goal = replace(declared, provider=reference)
        handler = self._providers.handler(goal.type, provider)
        inputs = self._inputs(goal, old, handler)
        if goal.is_provider:
            return self._answer_provider(goal, old, handler, inputs)
        secrets = goal.additional_secret_outputs
        wanted = Wanted(goal.name, goal.type, secrets, inputs, handler)
        kind = find_kind(goal.type)
        find = load_adopt(kind) if kind is not None else None
        # A resource in state is looked up too, but `flowflare drift` reports how it differs.
        findings = self._findings if old is None else Findings(key=self._findings.key)
        # One lookup at a time, so that each list of the account is read once.
        with self._lookup_lock:
            thing = find(wanted, self._account, findings) if find else None
            if old is not None:
                self._findings.baselines += findings.baselines
        if old is not None:
            return self._answer_managed(goal, wanted, old, thing, is_known=find is not None)
        if thing is None:
            return self._answer_missing(goal, wanted, is_known=find is not None)
        return self._answer_found(goal, wanted, thing)

    def _inputs(self, goal: Goal, old: Resource | None, handler: Handler) -> Props:
        kind = find_kind(goal.type)
        if kind is not None and kind.is_adopted_unchecked:
            unchecked: Props = annotate(plain(goal.inputs), goal.inputs)
            return unchecked
        return self._check(goal, old, handler)

    def _answer_provider(
        self, goal: Goal, old: Resource | None, handler: Handler, inputs: Props
    ) -> Answer:
        made = handler.create(plain(inputs))
        identity = old.id if old is not None else made.id
        record = goal.record(inputs, annotate(made.outputs, inputs), identity)
        kept = self._ledger.put(record, old)
        return Answer(goal.urn, kept.id, kept.outputs)

    def _answer_managed(
        self, goal: Goal, wanted: Wanted, old: Resource, thing: Thing | None, *, is_known: bool
    ) -> Answer:
        message = ""
        # Earlier versions stored the script's name as the ID of a subdomain.
        elsewhere = (
            thing is not None and thing.status != "kept" and old.id not in (thing.id, thing.name)
        )
        if elsewhere:
            assert thing is not None
            self._findings.refuse(
                f"{goal.name} is in the stack's state as {old.id}, but the account has "
                f"{thing.name or thing.id} as {thing.id}",
                "Decide which to keep. Remove the other from the state, or give it another name.",
            )
        elif thing is None and is_known:
            message = "the account does not match the state: see flowflare drift"
        name = (thing.name if thing else "") or old.id
        self._add_entry(wanted, "managed", name, message=message)
        record = goal.record(old.inputs, old.outputs, old.id)
        kept = self._ledger.put(replace(record, init_errors=old.init_errors), old)
        return Answer(goal.urn, kept.id, kept.outputs)

    def _answer_missing(self, goal: Goal, wanted: Wanted, *, is_known: bool) -> Answer:
        said = "" if is_known else "adoption does not support this resource type"
        self._add_entry(wanted, "missing", message=said)
        self.lookups.missing.add(goal.urn)
        foreseen = annotate(wanted.handler.foresee(None, plain(wanted.inputs)), wanted.inputs)
        outputs = make_secret(foreseen, goal.additional_secret_outputs)
        self._ledger.put(goal.record(wanted.inputs, outputs, UNKNOWN_TEXT), None)
        return Answer(goal.urn, "", outputs)

    def _answer_found(self, goal: Goal, wanted: Wanted, thing: Thing) -> Answer:
        if has_unknown(thing.inputs):
            raise EngineError("its inputs are not known yet")
        status: Status = thing.status or ("different" if thing.differences else "found")
        self._add_entry(wanted, status, thing.name, thing=thing)
        outputs = thing.outputs
        if isinstance(wanted.handler, PluginState):
            outputs = wanted.handler.complete(thing.id, outputs)
        marked = annotate(outputs, thing.inputs)
        outputs = make_secret(marked, goal.additional_secret_outputs)
        self._ledger.put(goal.record(thing.inputs, outputs, thing.id), None)
        return Answer(goal.urn, thing.id, outputs)

    def _add_entry(
        self,
        wanted: Wanted,
        status: Status,
        name: str = "",
        *,
        thing: Thing | None = None,
        message: str = "",
    ) -> None:
        entry = Entry(
            status=status,
            resource=wanted.name,
            type=wanted.kind,
            name=name,
            differences=tuple(thing.differences) if thing else (),
            message=thing.message if thing else message,
        )
        self.lookups.entries.append(entry)


def drop_missing(records: Sequence[Resource], missing: Collection[str]) -> tuple[Resource, ...]:
    """Return the records without the missing resources, and without references to them.

    Args:
        records: all records of the run, each after those that it depends on.
        missing: URNs of the resources that are missing in the account.
    """
    return tuple(
        _drop_references(record, missing) for record in records if record.urn not in missing
    )


def _drop_references(record: Resource, missing: Collection[str]) -> Resource:
    properties = {
        key: tuple(urn for urn in urns if urn not in missing)
        for key, urns in record.property_dependencies.items()
    }
    return replace(
        record,
        inputs=_drop_unknown(record.inputs),
        outputs=_drop_unknown(record.outputs),
        dependencies=tuple(urn for urn in record.dependencies if urn not in missing),
        property_dependencies=properties,
        deleted_with="" if record.deleted_with in missing else record.deleted_with,
        replace_with=tuple(urn for urn in record.replace_with if urn not in missing),
    )


def _drop_unknown(props: Mapping[str, Any]) -> Props:
    if not has_unknown(dict(props)):
        return dict(props)
    return {key: value for key, value in props.items() if not has_unknown(value)}


def is_thing(record: Resource) -> bool:
    """Return whether a record is a resource of its own, not a provider or a component."""
    return record.custom and not record.type.startswith(PROVIDER_PREFIX)
