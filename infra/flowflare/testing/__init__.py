"""Test against the embedded Cloudflare with pytest: the types of the fixture `cloudflare`.

The plugin is active wherever Flowflare is installed. Importing it loads nothing until a test uses
the fixture.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowflare.testing.cloud import Cloudflare, Fault, Request, Worker

__all__ = ["Cloudflare", "Fault", "Request", "Worker"]


def __getattr__(name: str) -> object:
    """Import a type when it is used."""
    if name not in __all__:
        raise AttributeError(name)
    from flowflare.testing import cloud

    return getattr(cloud, name)
