"""Ports of this machine, for tests that need one that is free or look whether one is open."""

import re
import socket
from pathlib import Path


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def point_at(stack_file: Path, base_url: str) -> None:
    """Let a copied stack use another API than its original, whose port is anybody's choice."""
    text, count = re.subn(r"http://127\.0\.0\.1:\d+/client/v4", base_url, stack_file.read_text())
    assert count == 1, text
    stack_file.write_text(text)
