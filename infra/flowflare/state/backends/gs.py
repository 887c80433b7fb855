"""A bucket of Google Cloud Storage: `gs://BUCKET[/PREFIX]`.

The credentials are those of the Pulumi CLI: `GOOGLE_CREDENTIALS` (the JSON itself),
`GOOGLE_OAUTH_ACCESS_TOKEN`, `GOOGLE_APPLICATION_CREDENTIALS`, those of gcloud, and the metadata
server's. A conditional write names the object's generation.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from flowflare.state.backends.objects import ObjectStore, Timeouts, connect_obstore
from flowflare.state.backends.refusals import Remedies
from flowflare.state.backends.url import UrlOptions, read_bucket_url

_OPTIONS: Final = UrlOptions(
    texts=(), switches=(), ignored=("access_id", "private_key_path"), example="gs://BUCKET"
)
REMEDIES: Final = Remedies(
    bucket="Create it, or check its name: gcloud storage ls",
    rights="Grant roles/storage.objectUser on the bucket.",
    credentials="Log in with `gcloud auth application-default login`, or set "
    "GOOGLE_APPLICATION_CREDENTIALS to a key file, or GOOGLE_CREDENTIALS to its content.",
)
_NAMES: Final = {
    "service_account_key": "GOOGLE_CREDENTIALS",
    "bearer_token": "GOOGLE_OAUTH_ACCESS_TOKEN",
    "application_credentials": "GOOGLE_APPLICATION_CREDENTIALS",
}


def open_bucket(
    url: str,
    environ: Mapping[str, str],
    _base: Path | None = None,
    *,
    patience: Timeouts | None = None,
) -> ObjectStore:
    """Open a bucket, without a request.

    Args:
        environ: the environment, for credentials; STORAGE_EMULATOR_HOST as for Google's libraries.

    Raises:
        StateError: the URL is invalid.
    """
    place, patience = read_bucket_url(url, _OPTIONS), patience or Timeouts()
    config: dict[str, Any] = {
        key: environ[name] for key, name in _NAMES.items() if environ.get(name)
    }
    if emulator := environ.get("STORAGE_EMULATOR_HOST"):
        address = emulator if "://" in emulator else f"http://{emulator}"
        config = {"base_url": address, "bearer_token": "emulator"}

    settings = tuple(sorted(config.items()))
    connect = partial(connect_obstore, "GCSStore", place, settings, patience)
    return ObjectStore(place, connect, REMEDIES, patience, version="version")
