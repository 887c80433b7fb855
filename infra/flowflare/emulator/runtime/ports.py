"""Give each Worker a port of its own, and store it."""

import hashlib
import logging

from flowflare.emulator.database import Database
from flowflare.errors import EmulatorError

_LOG = logging.getLogger("emulator")
# Below the range from which Linux takes ports for outgoing connections, because a Worker's port
# must still be free after a restart.
_FIRST_PORT, _PORTS = 20_000, 10_000


class Ports:
    """Read and choose the ports of Workers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, account: str, script: str) -> int:
        """Return a Worker's port, which its name determines unless another Worker has it.

        Raises:
            EmulatorError: all ports are in use.
        """
        for row in self._database.select("ports", account=account, script=script):
            return int(row["port"])
        digest = hashlib.sha256(f"{account}/{script}".encode()).digest()
        port = self._find_free_port(int.from_bytes(digest[:4]))
        self._database.insert("ports", account, script, port)
        return port

    def move(self, account: str, port: int) -> None:
        """Give the Worker of a port that another program uses another port."""
        _LOG.warning("port %d is used by another program; its Worker moves to another port", port)
        self._database.run(
            "UPDATE ports SET port = ? WHERE account = ? AND port = ?",
            self._find_free_port(port + 1),
            account,
            port,
        )

    def _find_free_port(self, start: int) -> int:
        held = {row["port"] for row in self._database.rows("SELECT port FROM ports")}
        for offset in range(_PORTS):
            port = _FIRST_PORT + (start + offset) % _PORTS
            if port not in held:
                return port
        raise EmulatorError("All ports for Workers are in use.")
