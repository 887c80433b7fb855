"""Make the requests of each scenario: starts, updates of runs and steps, reads, lists."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from bench.http_calls import Call

# A run's life as the client reports it; the workflow reports every second status too.
RUN_LIFE: tuple[dict[str, Any], ...] = (
    {"status": "Running"},
    {"status": "Sleeping", "sleep_until": "2030-01-01T00:00:00.000Z"},
    {"status": "Running"},
    {"status": "Completed", "output_result": '{"shipped":true,"items":3}'},
)
STEP_LIFE: tuple[dict[str, Any], ...] = (
    {"status": "Running"},
    {"status": "Completed", "state": '{"reserved":["a","b","c"],"warehouse":"north"}'},
)
PARAMS = {"order_id": "o-1", "items": [{"sku": "a", "quantity": 2}, {"sku": "b", "quantity": 1}]}
TYPE = "bench"


def starts(count: int) -> Iterator[Call]:
    """Start runs, each for its own reference, of a type that no Workflow is bound for."""
    batch = uuid.uuid4().hex
    for number in range(count):
        body = {"workflowType": TYPE, "params": PARAMS, "ref_id": f"{batch}-{number}"}
        yield Call("/service/start-workflow", body | {"ref_type": "order"})


def run_updates(runs: Sequence[str], count: int) -> Iterator[Call]:
    """Send the updates of every run: first stage 1 of all runs, then stage 2 of all, and so on."""
    for number in range(count):
        stage, run = divmod(number, len(runs))
        update = {"id": runs[run]} | RUN_LIFE[stage % len(RUN_LIFE)]
        yield Call("/api/workflows/update", {"type": "run_update", "run_update": update})


def step_updates(runs: Sequence[str], count: int) -> Iterator[Call]:
    """Start and complete one step after the other, in every run."""
    for number in range(count):
        stage, run = divmod(number, len(runs))
        index, life = divmod(stage, len(STEP_LIFE))
        place = {"workflow_run_id": runs[run], "step_index": index, "step_name": f"step-{index}"}
        update = place | STEP_LIFE[life]
        yield Call("/api/workflows/update", {"type": "step_update", "step_update": update})


def gets(runs: Sequence[str], count: int) -> Iterator[Call]:
    """Read whole runs, with their steps."""
    for number in range(count):
        yield Call("/service/get-workflow", {"workflowId": runs[number % len(runs)]})


def lists(query: dict[str, Any], count: int) -> Iterator[Call]:
    """Read the same page of 20 runs again and again."""
    for _ in range(count):
        yield Call("/service/list-workflows", {"limit": 20} | query)
