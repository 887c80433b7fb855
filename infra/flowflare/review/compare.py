"""Compares two recordings of a stack: what would an `up` of one do after an `up` of the other?

The comparison is a preview by the engine itself, in which the base's recording stands for state.
Nothing of a recording is run: a dynamic resource is judged by this release's provider of its type,
or by its inputs.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowflare.engine.destroy import Deleter
from flowflare.engine.goal import Goal
from flowflare.engine.ledger import Ledger
from flowflare.engine.providers.dynamic import Dynamic
from flowflare.engine.providers.recorded import Recorded as RecordedType
from flowflare.engine.providers.registry import Providers
from flowflare.engine.recording import Recorded, Recorder, stand_in
from flowflare.engine.report import Report
from flowflare.kinds.contract import load_provider
from flowflare.kinds.handler import Handler
from flowflare.kinds.registry import find_kind
from flowflare.state.checkpoint import Deployment, Resource
from flowflare.values.events import Plan
from flowflare.values.properties import Value, map_leaves
from flowflare.values.show import shown_props
from flowflare.values.urns import DYNAMIC_PACKAGE, Alias

if TYPE_CHECKING:
    from pulumi.dynamic import ResourceProvider


def compare(base: Recorded, head: Recorded, *, project: str, stack: str) -> Plan:
    """The plan that leads from what one recording declares to what the other does.

    Args:
        base: the recording to start from; an empty one for a stack that is new.
        head: the recording to come to; an empty one for a stack that goes.
        project: the project's name.
        stack: the stack's name.
    """
    report = Report(None, lambda: 0.0)
    before = Deployment(base.resources)
    ledger = Ledger(before, lambda: "", None)
    providers = _ThisRelease(project, stack, {}, {})
    deployer = Recorder(ledger, providers, report, dry_run=True)
    anew: set[str] = set()
    for declared in head.resources:
        one = _with_new_ids(declared, anew)
        aliases = tuple(Alias(urn=urn) for urn in head.aliases.get(one.urn, ()))
        deployer.register(_goal(one, aliases))
        if report.steps and report.steps[-1].urn == one.urn and report.steps[-1].op == "replace":
            anew.add(stand_in(one.name))
        if not one.custom:
            deployer.set_outputs(one.urn, one.outputs)
    Deleter(ledger, providers, report).plan(ledger.kept())
    known = {failure.urn for failure in report.failures}
    failures = [*report.failures, *(one for one in head.failures if one.urn not in known)]
    stack_record = Deployment(head.resources).stack
    outputs = shown_props(stack_record.outputs) if stack_record else {}
    return Plan(tuple(report.steps), outputs, tuple(failures))


class _ThisRelease(Providers):
    """Providers of which none comes out of a recording."""

    def handler(self, type_: str, provider: Resource | None) -> Handler:
        """The handler of a type; a dynamic one whose provider is not ours compares inputs."""
        if type_.split(":", 1)[0] != DYNAMIC_PACKAGE:
            return super().handler(type_, provider)
        kind = find_kind(type_)
        provider_class = load_provider(kind) if kind and kind.has_pure_check else None
        return Dynamic(_Ours(provider_class)) if provider_class else RecordedType(type_, ())


class _Ours:
    """Loads this release's own provider of a type, whatever a recording carries.

    Args:
        provider: its class.
    """

    def __init__(self, provider: "type[ResourceProvider]") -> None:
        self._provider = provider

    def load(self, props: Mapping[str, Any]) -> "ResourceProvider":
        """Make the provider."""
        del props
        return self._provider()


def _with_new_ids(one: Resource, anew: Collection[str]) -> Resource:
    """A record in which the ids of what is replaced are others than before."""

    def leaf(value: Value) -> Value:
        known = isinstance(value, str) and value in anew
        return f"[new {value[1:]}" if known else value

    return replace(one, inputs=map_leaves(one.inputs, leaf)) if anew else one


def _goal(one: Resource, aliases: tuple[Alias, ...]) -> Goal:
    return Goal(
        urn=one.urn,
        type=one.type,
        name=one.name,
        custom=one.custom,
        inputs=one.inputs,
        parent=one.parent,
        dependencies=one.dependencies,
        property_dependencies=one.property_dependencies,
        protect=one.protect,
        retain_on_delete=one.retain_on_delete,
        ignore_changes=one.ignore_changes,
        replace_on_changes=one.replace_on_changes,
        additional_secret_outputs=one.additional_secret_outputs,
        custom_timeouts=one.custom_timeouts,
        deleted_with=one.deleted_with,
        replace_with=one.replace_with,
        replacement_trigger=one.replacement_trigger,
        aliases=aliases,
    )
