"""The API's address and the token of a stack, in this process's environment."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowflare.config.files import Project


def base_url(project: "Project") -> str:
    """Return the API's base URL; see `engine.access`."""
    from flowflare.engine import access

    return access.base_url(project, os.environ)


def token(project: "Project") -> str:
    """Return the API token; see `engine.access`.

    Raises:
        SecretError: the token is missing, or cannot be decrypted here.
    """
    from flowflare.engine import access

    return access.token(project, os.environ)
