"""Runs the emulator in the foreground: `python -m flowflare.emulator --data DIR --port N ...`.

Prints one JSON line when it is ready. SIGTERM and SIGINT stop it, workerd included.
"""

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path

from flowflare.emulator.foreground import Options, serve
from flowflare.errors import EmulatorError


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line and serves until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m flowflare.emulator", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of all data")
    parser.add_argument("--port", type=int, default=8780, help="the API's port, 0 for any")
    parser.add_argument("--node", type=Path, required=True, help="the Node program")
    parser.add_argument("--node-modules", type=Path, required=True, help="where miniflare is")
    given = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        asyncio.run(serve(Options(given.data, given.port, given.node, given.node_modules), _say))
    except EmulatorError as error:
        _say({"error": error.message, "remedy": error.remedy})
        return error.exit_code
    return 0


def _say(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
