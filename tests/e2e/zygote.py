"""Fork a run for each line of standard input, so that tests can kill runs without their startup.

Importing Pulumi and the resource classes takes seconds of CPU, and the kill tests need a process
for each call to the API. This process imports once. For each JSON line it forks a child, which
executes the run. It prints `{"pid": ...}` at once and `{"exit": ...}` when the child has ended.
"""

import importlib
import json
import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path

WARM = (
    "cloudflare",
    "flowflare.api",
    "flowflare.engine.embedded.apply",
    "flowflare.engine.embedded.destroy",
    "flowflare.engine.embedded.monitor",
    "flowflare.engine.embedded.program",
    "flowflare.engine.embedded.providers.dynamic",
    "flowflare.engine.embedded.providers.registry",
    "flowflare.fleet.environments.lifecycle",
    "flowflare.kinds.plugin_state",
    "flowflare.kinds.workers_script.apply",
    "flowflare.resources.stack",
    "flowflare.rollout.rotate",
)


def warm_up() -> None:
    """Import what a run imports, without starting threads, which do not survive a fork."""
    for module in WARM:
        importlib.import_module(module)


def run(command: dict[str, str]) -> int:
    from flowflare.config.files import read_project
    from flowflare.engine import open_stack
    from flowflare.errors import FlowflareError
    from flowflare.rollout.rotate import Rotation

    try:
        root, name = Path(command["root"]), command["stack"]
        if command["do"] in ("rotate", "finish"):
            rotation = Rotation(
                read_project(root, name), lambda project: open_stack(project, os.environ)
            )
            for step in rotation.steps(finish=command["do"] == "finish"):
                rotation.perform(step)
        elif command["do"] in ("environment", "sweep"):
            run_environment(root, name, command["do"])
        else:
            getattr(open_stack(read_project(root, name), os.environ), command["do"])()
    except FlowflareError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except BaseException:  # noqa: BLE001 -- a child must never return to its parent's code
        traceback.print_exc()
        return 70
    return 0


def run_environment(root: Path, name: str, do: str) -> None:
    """Create an ephemeral environment with the project's `seed.sql`, or sweep all environments."""
    from datetime import timedelta

    from flowflare.fleet.environments import lifecycle
    from flowflare.fleet.environments.seeding import read_seeds

    context = lifecycle.CommandContext(root, os.environ)
    if do == "sweep":
        later = lifecycle.utc_now() + timedelta(hours=2)
        context = replace(context, now=lambda: later)
        for swept in lifecycle.sweep(context, lambda record: None):
            if swept.error:
                raise swept.error
        return
    seeds = read_seeds([str(root / "seed.sql")], root)
    lifecycle.bring_up(name, context, ttl=timedelta(hours=1), seeds=seeds)


def write(answer: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    warm_up()
    write({"ready": 1})
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(run(json.loads(line)))
        write({"pid": child})
        _, status = os.waitpid(child, 0)
        write({"exit": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()
