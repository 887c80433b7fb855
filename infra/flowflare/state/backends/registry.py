"""The list of backends by URL scheme, as in Pulumi's CLI."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flowflare.errors import StateError
from flowflare.state.backends.folder import open_folder
from flowflare.state.backends.store import Store

Open = Callable[[str, Mapping[str, str], Path], Store]
#: The function that opens a store; its module is imported on first use.
BACKENDS: Final[Mapping[str, str]] = {
    "file": "flowflare.state.backends.folder:open_folder",
    "s3": "flowflare.state.backends.s3:open_bucket",
    "gs": "flowflare.state.backends.gs:open_bucket",
    "azblob": "flowflare.state.backends.azblob:open_container",
}


def open_store(url: str, environ: Mapping[str, str], *, base: Path | None = None) -> Store:
    """Open a store, without a request.

    Args:
        url: `file://FOLDER`, or a bucket's URL with Pulumi's options.
        environ: the environment, for the home folder and credentials.
        base: the folder at which a relative path starts, by default the working directory.

    Raises:
        StateError: the URL has another scheme, or an unknown option.
    """
    store = find_store(url, environ, base=base)
    if store is None:
        raise StateError(
            f"{redact_url(url) or 'an empty URL'} is not a supported backend",
            remedy="Write file://FOLDER, s3://BUCKET?region=REGION, gs://BUCKET or "
            "azblob://CONTAINER?storage_account=ACCOUNT.",
        )
    return store


def open_place(place: str, environ: Mapping[str, str], *, base: Path) -> Store:
    """Open a store by its URL or the path of a folder; see `open_store`.

    Raises:
        StateError: the URL has another scheme, or an unknown option.
    """
    if "://" in place:
        return open_store(place, environ, base=base)
    return open_folder(f"file://{place}", environ, base)


def find_store(url: str, environ: Mapping[str, str], *, base: Path | None = None) -> Store | None:
    """Open a store like `open_store`; None for a backend that only the Pulumi CLI can read.

    Raises:
        StateError: the URL has an unknown option.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in BACKENDS:
        return None
    module, _, name = BACKENDS[scheme].partition(":")
    opener: Open = getattr(import_module(module), name)
    return opener(url, environ, base or Path.cwd())


def redact_url(url: str) -> str:
    """Return a backend's URL without user, password and options."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
