"""R2 buckets, which Cloudflare identifies by a name that never changes."""

from typing import Any, Final

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.handler import Existing
from flowflare.kinds.stores import NamedStore
from flowflare.values.properties import Props

_NOT_EMPTY: Final = 10008
_STORAGE_CLASS: Final = "storageClass"
#: The header in which an update sends the storage class.
_HEADER: Final = "cf-r2-storage-class"


class R2Bucket(NamedStore):
    """`cloudflare:index/r2Bucket:R2Bucket`."""

    required = ("accountId", "name")
    replace_keys = ("accountId", "name")
    identity = ("accountId", "name")
    attributes = ("creationDate", "jurisdiction", "location", _STORAGE_CLASS)
    unserved = ("jurisdiction",)
    listed_at = "/r2/buckets"
    title = "name"
    name_taken = 10004
    words = "R2 bucket"
    id_key = "name"

    def update(self, old: Existing, new: Props) -> Props:
        """Change the storage class of new objects; nothing else can change."""
        if new.get(_STORAGE_CLASS) != old.inputs.get(_STORAGE_CLASS):
            headers = {_HEADER: str(new.get(_STORAGE_CLASS) or "Standard")}
            self.access.client.call("PATCH", f"{self.path(new)}/{old.id}", headers=headers)
        return {**old.outputs, **new}

    def delete(self, old: Existing) -> None:
        """Delete the bucket; a bucket that is already gone is a success.

        Raises:
            EngineError: the bucket holds objects.
        """
        try:
            super().delete(old)
        except ApiError as error:
            if _NOT_EMPTY in error.codes:
                raise _not_empty(old.id) from None
            raise

    def _body(self, new: Props) -> Any:
        """Return the body of a creation; the API spells these three names in camelCase."""
        given = {
            "name": new["name"],
            "locationHint": new.get("location"),
            _STORAGE_CLASS: new.get(_STORAGE_CLASS),
        }
        return {key: value for key, value in given.items() if value is not None}

    def _find(self, new: Props) -> dict[str, Any] | None:
        """Read the bucket by its name."""
        found: dict[str, Any] | None = self.find_at(f"{self.path(new)}/{new['name']}")
        return found


def _not_empty(name: str) -> EngineError:
    return EngineError(
        f"Cloudflare does not delete the R2 bucket {name!r}, because it holds objects",
        remedy="Delete its objects first (in the dashboard: the bucket, Settings, Empty bucket), "
        "then run the command again.",
    )
