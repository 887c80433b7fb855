"""A backend is one file of `state/backends/` and one line of its registry."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from flowflare.state.backends import registry

PACKAGE = Path(__file__).parents[2] / "infra" / "flowflare"
SCHEMES = ("file", "s3", "gs", "azblob")
#: A scheme that is asked about or put before a path; in a sentence it is an example.
ASKED = re.compile(rf"""["'](?:{"|".join(SCHEMES)})://(?:["']|{{)""")


def test_none_but_the_backends_asks_which_scheme_a_url_has() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): asked
        for path in PACKAGE.rglob("*.py")
        if not path.is_relative_to(PACKAGE / "state" / "backends")
        if not path.is_relative_to(PACKAGE / "emulator")
        if (asked := ASKED.findall(path.read_text("utf-8")))
    }
    assert not found, "ask flowflare.state.backends.registry.find_store, or the store itself"


def test_every_scheme_of_the_registry_has_a_file_that_opens_it() -> None:
    assert tuple(registry.BACKENDS) == SCHEMES
    for opener in registry.BACKENDS.values():
        module, _, name = opener.partition(":")
        assert callable(getattr(import_module(module), name))


def test_the_registry_loads_no_backend_of_another_scheme() -> None:
    script = "import sys, flowflare.state.backends.registry; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {f"flowflare.state.backends.{name}" for name in ("s3", "gs", "azblob")} & set(
        done.stdout.split()
    )
