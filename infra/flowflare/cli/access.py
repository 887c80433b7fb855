"""The API's address and the token of a stack, in this process's environment."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowflare.config.files import Project


def base_url(project: "Project") -> str:
    """The API's address; see `engine.access`."""
    from flowflare.engine import access

    return access.base_url(project, os.environ)


def token(project: "Project") -> str:
    """The API token; see `engine.access`.

    Raises:
        SecretError: there is none, or it cannot be opened here.
    """
    from flowflare.engine import access

    return access.token(project, os.environ)
