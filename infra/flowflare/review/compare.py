"""Compare two recordings of a stack: what would `up` of the second do after `up` of the first?

The comparison is a preview by the embedded engine, with the base's recording as the state. No code
of a recording is run. A dynamic resource is compared by this release's provider of its type, or by
its inputs.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowflare.engine.embedded.destroy import Deleter
from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.providers.dynamic import Dynamic
from flowflare.engine.embedded.providers.recorded import RecordedType
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.engine.embedded.recording import RecordedProgram, Recorder, stand_in
from flowflare.engine.report import RunLog
from flowflare.kinds.contract import load_provider
from flowflare.kinds.handler import Handler
from flowflare.kinds.registry import find_kind
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.values.events import Plan
from flowflare.values.properties import Value, map_leaves
from flowflare.values.show import NEW_ID_START, shown_props
from flowflare.values.urns import DYNAMIC_PACKAGE, Alias

if TYPE_CHECKING:
    from pulumi.dynamic import ResourceProvider


def compare(base: RecordedProgram, head: RecordedProgram, *, project: str, stack: str) -> Plan:
    """Plan the changes from the base's recording to the head's.

    Args:
        base: the recording to start from; empty for a new stack.
        head: the recording to compare with it; empty for a stack that is removed.
    """
    report = RunLog(None, lambda: 0.0)
    before = Deployment(base.resources)
    ledger = Ledger(before, lambda: "", None)
    providers = _ThisRelease(project, stack, {}, {})
    deployer = Recorder(ledger, providers, report, dry_run=True)
    new_ids: set[str] = set()
    for declared in head.resources:
        resource = _replace_ids(declared, new_ids)
        aliases = tuple(Alias(urn=urn) for urn in head.aliases.get(resource.urn, ()))
        deployer.register(_make_goal(resource, aliases))
        last = report.steps[-1] if report.steps else None
        if last is not None and last.urn == resource.urn and last.op in {"create", "replace"}:
            new_ids.add(stand_in(resource.name))
        if not resource.custom:
            deployer.set_outputs(resource.urn, resource.outputs)
    Deleter(ledger, providers, report).plan(ledger.list_untouched())
    known = {failure.urn for failure in report.failures}
    failures = [*report.failures, *(item for item in head.failures if item.urn not in known)]
    stack_record = Deployment(head.resources).stack
    outputs = shown_props(stack_record.outputs) if stack_record else {}
    return Plan(tuple(report.steps), outputs, tuple(failures))


class _ThisRelease(Providers):
    """Providers of this release; none is loaded from a recording."""

    def handler(self, type_: str, provider: Resource | None) -> Handler:
        """Return a type's handler. Types of other packages' dynamic providers compare inputs."""
        if type_.split(":", 1)[0] != DYNAMIC_PACKAGE:
            return super().handler(type_, provider)
        kind = find_kind(type_)
        provider_class = load_provider(kind) if kind and kind.has_pure_check else None
        return Dynamic(_OwnProvider(provider_class)) if provider_class else RecordedType(type_, ())


class _OwnProvider:
    """Loads this release's provider of a type, and ignores the provider in a recording."""

    def __init__(self, provider: "type[ResourceProvider]") -> None:
        self._provider = provider

    def load(self, props: Mapping[str, Any]) -> "ResourceProvider":
        """Return a new provider."""
        del props
        return self._provider()


def _replace_ids(resource: Resource, new_ids: Collection[str]) -> Resource:
    """Replace the IDs of resources that are created or replaced: they differ from every old ID."""

    def leaf(value: Value) -> Value:
        known = isinstance(value, str) and value in new_ids
        return NEW_ID_START + value.removeprefix("[id of ") if known else value

    return replace(resource, inputs=map_leaves(resource.inputs, leaf)) if new_ids else resource


def _make_goal(resource: Resource, aliases: tuple[Alias, ...]) -> Goal:
    return Goal(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        custom=resource.custom,
        inputs=resource.inputs,
        parent=resource.parent,
        dependencies=resource.dependencies,
        property_dependencies=resource.property_dependencies,
        protect=resource.protect,
        retain_on_delete=resource.retain_on_delete,
        ignore_changes=resource.ignore_changes,
        replace_on_changes=resource.replace_on_changes,
        additional_secret_outputs=resource.additional_secret_outputs,
        custom_timeouts=resource.custom_timeouts,
        deleted_with=resource.deleted_with,
        replace_with=resource.replace_with,
        replacement_trigger=resource.replacement_trigger,
        aliases=aliases,
    )
