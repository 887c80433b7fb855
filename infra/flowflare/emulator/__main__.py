"""Run the emulator in the foreground: `python -m flowflare.emulator --data DIR --port N ...`.

Prints one line of JSON when it is ready. SIGTERM and SIGINT stop it and its workerd processes.
"""

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path

from flowflare.emulator.foreground import serve
from flowflare.emulator.process import Settings
from flowflare.errors import EmulatorError


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and serve until a signal arrives."""
    parser = argparse.ArgumentParser(prog="python -m flowflare.emulator", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds all data")
    parser.add_argument(
        "--port", type=int, default=8780, help="port of the API, 0 for any free port"
    )
    parser.add_argument("--node", type=Path, required=True, help="path of the Node executable")
    parser.add_argument(
        "--node-modules", type=Path, required=True, help="folder that contains miniflare"
    )
    parser.add_argument(
        "--shared", action="store_true", help="stop when no process uses it any more"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        asyncio.run(serve(Settings(**vars(options)), _print_json))
    except EmulatorError as error:
        _print_json({"error": error.message, "remedy": error.remedy})
        return error.exit_code
    return 0


def _print_json(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
