"""Find what a program declares and `up` would refuse, before `up` changes anything.

The program runs once as in a preview. Types that the embedded engine cannot create are refused, and
so are inputs that a provider's check refuses, such as migrations with SQL that D1 refuses. No
resource is compared or changed.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from flowflare.engine.choice import Choice
from flowflare.engine.embedded.apply import Answer, Deployer
from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.providers.recorded import RecordedType
from flowflare.engine.preflight import refuse_known_failures
from flowflare.engine.report import RunLog
from flowflare.errors import FlowflareError
from flowflare.state.checkpoint import Resource


def survey(run_over: Callable[..., tuple[Any, Any, RunLog]], choice: Choice) -> None:
    """Refuse a program that declares what `up` would refuse. The run reports its other errors.

    Args:
        run_over: `EmbeddedStack.run_over`.
        choice: what the `up` works on.

    Raises:
        UpdateFailed: all resources that cannot be made.
    """
    report = None
    with contextlib.suppress(FlowflareError):
        _, _, report = run_over(
            lambda ledger, providers, report: Surveyor(
                ledger, providers, report, dry_run=True, choice=choice
            )
        )
    if report is not None:
        refuse_known_failures(report.failures)


class Surveyor(Deployer):
    """Answers registrations as if nothing changed, and reports what cannot be created."""

    def _register_custom(self, declared: Goal, old: Resource | None) -> Answer:
        _, provider = self._references.of(declared)
        handler = self._providers.handler(declared.type, provider)
        if isinstance(handler, RecordedType):
            return super()._register_custom(declared, old)
        urns = (declared.urn, *self._aliases[declared.urn])
        # `up` settles what an interrupted run left before it checks.
        if not (self._ledger.list_interrupted(urns) or self._ledger.list_condemned(urns)):
            self._check(declared, old, handler)
        outputs = old.outputs if old is not None else {}
        record = declared.record(declared.inputs, outputs, old.id if old is not None else "")
        self._ledger.put(record, old)
        return Answer(declared.urn, record.id, outputs)
