"""Find and check ports of this machine."""

import re
import socket
from pathlib import Path


def find_free_port() -> int:
    """Return a port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Return whether a process listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def point_at(stack_file: Path, base_url: str) -> None:
    """Point a stack at another API; its file may name any port of this machine."""
    text, count = re.subn(r"http://127\.0\.0\.1:\d+/client/v4", base_url, stack_file.read_text())
    assert count == 1, text
    stack_file.write_text(text)
