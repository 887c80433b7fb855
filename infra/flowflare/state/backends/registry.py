"""Opens the store that a URL names, spelt as for `PULUMI_BACKEND_URL`."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flowflare.errors import StateError
from flowflare.state.backends.folder import FolderStore
from flowflare.state.backends.store import Store


def open_store(url: str, environ: Mapping[str, str], *, base: Path | None = None) -> Store:
    """Opens a store; nobody is asked yet whether it is there.

    Args:
        url: `file://FOLDER`, or `s3://BUCKET[/PREFIX][?OPTIONS]` with Pulumi's options, such as
            `region`, `endpoint` and `s3ForcePathStyle`.
        environ: the environment: the home folder, credentials.
        base: where a folder that is not absolute begins, by default the working directory.

    Raises:
        StateError: the URL is of another kind, or an option is not known.
    """
    folder = local_folder(url, environ)
    if folder is not None:
        return FolderStore(((base or Path.cwd()) / folder).resolve())
    if url.startswith("s3://"):
        from flowflare.state.backends.bucket import open_bucket

        return open_bucket(url, environ)
    raise StateError(
        f"{redacted(url) or 'nothing'} is no place that state is read from here",
        remedy="Write file://FOLDER or s3://BUCKET?region=REGION.",
    )


def local_folder(url: str, environ: Mapping[str, str]) -> Path | None:
    """The folder of a `file://` backend, None for any other.

    `file://~` is the home folder; what stands after `?` are options of the backend.
    """
    if not url.startswith("file://"):
        return None
    text = unquote(url.removeprefix("file://").partition("?")[0])
    if text == "~" or text.startswith("~/"):
        home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 -- of a text
        return Path(home + text[1:])
    return Path(text)


def redacted(url: str) -> str:
    """A backend's URL without user, password and options."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
