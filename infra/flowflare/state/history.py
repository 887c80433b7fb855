"""Write a stack's history as the Pulumi CLI does, so that `pulumi stack history` lists our runs.

Each run that wrote state adds two objects: a description (`UpdateInfo` in `pkg/backend` of
pulumi/pulumi) and the state after it. Only configured backends get a history: `.flowflare/state`
is not shared, and nothing would ever remove old entries there.
"""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, Protocol

from flowflare.config.files import Project
from flowflare.config.values import ConfigValue
from flowflare.errors import StateError
from flowflare.reading.json_text import parse_json
from flowflare.state.backend import Backend
from flowflare.values.events import Step

_ENVIRONMENT: Final = {"exec.kind": "flowflare"}


class RunReport(Protocol):
    """What a run did, as far as its history records it."""

    @property
    def failures(self) -> Sequence[object]:
        """Empty if the run succeeded."""

    @property
    def steps(self) -> Sequence[Step]:
        """What was done to each resource."""


@contextlib.contextmanager
def record_run(
    backend: Backend,
    kind: Literal["update", "destroy", "refresh"],
    project: Project,
    report: RunReport,
    may_write: Callable[[], None],
) -> Iterator[None]:
    """Write the two objects after a run that wrote state, whether it succeeded or failed.

    Args:
        kind: the kind of the run, as the CLI names it.
        project: the project with the stack's configuration, for its configuration.
        may_write: raises an error if the run has lost the stack; then nothing is written.
    """
    if not backend.shared:
        yield
        return
    began, before, failed = time.time(), backend.read_current().tag, True
    try:
        yield
        failed = bool(report.failures)
    finally:
        with contextlib.suppress(StateError):  # the state itself was written
            present = backend.read_current()
            if present.tag != before:
                may_write()
                stem = f".pulumi/history/{backend.project}/{backend.stack}/{backend.stack}-"
                pair, ending = f"{stem}{time.time_ns()}", present.key.removeprefix(backend.key)
                info = {
                    "kind": kind,
                    "startTime": int(began),
                    "message": "",
                    "environment": _ENVIRONMENT,
                    "config": {key: _dump_config(value) for key, value in project.values.items()},
                    "version": 0,
                    "result": "failed" if failed else "succeeded",
                    "endTime": int(time.time()),
                    "resourceChanges": Counter(step.op for step in report.steps),
                }
                backend.store.copy(present.key, f"{pair}.checkpoint.json{ending}")
                backend.store.put(f"{pair}.history.json", json.dumps(info).encode())


def _dump_config(value: ConfigValue) -> Any:
    """Return a configuration value as the stack's file has it, with encrypted secrets."""
    if value.text[:1] in ("{", "["):
        with contextlib.suppress(ValueError):
            return parse_json(value.text)
    return {"secure": value.text} if value.secret else value.text
