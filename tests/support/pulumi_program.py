"""Run one Pulumi program for `pulumi_language.py`: `pulumi_program.py SETTINGS PROGRAM`.

SETTINGS is a JSON object with the arguments of `pulumi.runtime.Settings`; the configuration is in
the environment, where the SDK looks for it.
"""

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from types import TracebackType

import pulumi
from pulumi import runtime

# The exit code for the language host: the CLI has received the error already.
ALREADY_REPORTED = 32


def run(settings: runtime.Settings, program: str) -> int:
    """Run a program.

    Args:
        settings: the stack and the address of its engine.
        program: the program's folder or file.

    Returns:
        The exit code.
    """
    runtime.configure(settings)
    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    sys.argv = [program]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # A failed run leaves outputs that are never awaited; asyncio would report each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        loop.run_until_complete(
            runtime.run_in_stack(lambda: runpy.run_path(program, run_name="__main__"))
        )
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception as error:  # noqa: BLE001 -- the CLI shows it
        where = drop_outer_frames(error.__traceback__, os.path.abspath(program))  # noqa: PTH100
        text = "".join(traceback.format_exception(type(error), error, where))
        pulumi.log.error(f"Program failed with an unhandled exception:\n{text}")
        return ALREADY_REPORTED
    return 0


def drop_outer_frames(where: TracebackType | None, program: str) -> TracebackType | None:
    """Drop the frames before the program's first frame."""
    current = where
    while current is not None:
        if current.tb_frame.f_code.co_filename.startswith(program):
            return current
        current = current.tb_next
    return where


if __name__ == "__main__":
    sys.exit(run(runtime.Settings(**json.loads(sys.argv[1])), sys.argv[2]))
