"""Find resources that a program declares and the embedded engine cannot create.

The program runs once as in a preview, but no provider is called: only types matter.
"""

from flowflare.engine.embedded.apply import Answer, Deployer
from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.providers.recorded import RecordedType
from flowflare.state.checkpoint import Resource


class Surveyor(Deployer):
    """Answers registrations as if nothing changed, and reports what cannot be created."""

    def _register_custom(self, declared: Goal, old: Resource | None) -> Answer:
        _, provider = self._references.of(declared)
        if isinstance(self._providers.handler(declared.type, provider), RecordedType):
            return super()._register_custom(declared, old)
        outputs = old.outputs if old is not None else {}
        record = declared.record(declared.inputs, outputs, old.id if old is not None else "")
        self._ledger.put(record, old)
        return Answer(declared.urn, record.id, outputs)
