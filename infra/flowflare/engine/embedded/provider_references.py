"""Find the provider of a resource: the one that it names, or the default of its package."""

import threading

from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.ledger import Ledger
from flowflare.engine.embedded.providers.registry import Providers
from flowflare.errors import EngineError
from flowflare.state.checkpoint import PROVIDER_PREFIX, Resource
from flowflare.values.properties import equal
from flowflare.values.wire import UNKNOWN_TEXT


class ProviderReferences:
    """Finds providers among the stack's resources; declares a default provider on first use.

    Args:
        dry_run: whether the run is a preview, which does not know a new provider's ID.
    """

    def __init__(self, ledger: Ledger, providers: Providers, *, dry_run: bool) -> None:
        self._ledger = ledger
        self._providers = providers
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self._defaults: dict[str, Resource] = {}

    def of(self, goal: Goal) -> tuple[str, Resource | None]:
        """Return the reference (`URN::id`) and the record of the provider that serves a resource.

        Both are empty for a resource that is a provider itself.

        Raises:
            EngineError: the resource names a provider that is not part of the stack.
        """
        if goal.is_provider:
            return "", None
        if goal.provider:
            record = self._ledger.current(goal.provider.rpartition("::")[0])
            if record is None:
                raise EngineError(f"its provider {goal.provider} is not part of the stack")
            return goal.provider, record
        urn = self._providers.default_urn(goal.package, goal.version)
        with self._lock:
            if urn not in self._defaults:
                self._defaults[urn] = self._default(urn, goal)
            default = self._defaults[urn]
        return f"{urn}::{default.id}", default

    def _default(self, urn: str, goal: Goal) -> Resource:
        handler = self._providers.handler(PROVIDER_PREFIX + goal.package, None)
        inputs = self._providers.default_inputs(goal.package, goal.version)
        old = self._ledger.find(urn)
        if old is not None and equal(old.inputs, inputs, strict=True):
            inputs = old.inputs
        made = handler.create(inputs)
        id_ = old.id if old is not None else UNKNOWN_TEXT if self._dry_run else made.id
        record = Resource(
            urn=urn,
            type=PROVIDER_PREFIX + goal.package,
            custom=True,
            id=id_,
            inputs=inputs,
            outputs=made.outputs,
        )
        return self._ledger.put(record, old)
