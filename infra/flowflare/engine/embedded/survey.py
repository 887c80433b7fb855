"""Find resources that a program declares and the embedded engine cannot create.

The program runs once as in a preview, but no provider is called: only types matter.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from flowflare.engine.embedded.apply import Answer, Deployer
from flowflare.engine.embedded.goal import Goal
from flowflare.engine.embedded.providers.recorded import RecordedType
from flowflare.engine.preflight import refuse_known_failures
from flowflare.engine.report import RunLog
from flowflare.errors import FlowflareError
from flowflare.state.checkpoint import Resource


def survey(run_over: Callable[..., tuple[Any, Any, RunLog]]) -> None:
    """Refuse a program that declares what cannot be made. The run itself reports its other errors.

    Args:
        run_over: `EmbeddedStack.run_over`.

    Raises:
        UpdateFailed: all resources that cannot be made.
    """
    report = None
    with contextlib.suppress(FlowflareError):
        _, _, report = run_over(
            lambda ledger, providers, report: Surveyor(ledger, providers, report, dry_run=True)
        )
    if report is not None:
        refuse_known_failures(report.failures)


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
