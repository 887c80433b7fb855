"""Routes: a pattern of a zone that a script answers."""

from typing import Any

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.cloudflare_handler import KnownById
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import picked, to_api
from flowflare.values.properties import Props

PATTERN_TAKEN = 10020
_FIELDS = ("pattern", "script")


class WorkersRoute(KnownById):
    """`cloudflare:index/workersRoute:WorkersRoute`."""

    required = ("zoneId", "pattern")
    replace_keys = ("zoneId",)
    identity = ("zoneId", "pattern")
    attributes = _FIELDS

    def path(self, known: Props) -> str:
        """Where the zone's routes are listed."""
        return f"/zones/{known['zoneId']}/workers/routes"

    def create(self, new: Props) -> Made:
        """Makes it, once: an answer lost on the way is looked for by its pattern.

        Raises:
            EngineError: another script has the pattern.
        """
        try:
            answer = self.access.client.call(
                "POST", self.path(new), body=_body(new), find=lambda: self._own(new)
            )
        except ApiError as error:
            if PATTERN_TAKEN not in error.codes:
                raise
            found = self._own(new) if error.doubtful else None
            if found is None:
                raise _not_ours(new) from None
            return self.made(new, found)
        return self.made(new, answer)

    def update(self, old: Existing, new: Props) -> Props:
        """Gives it another pattern or script."""
        answer = self.access.client.call("PUT", f"{self.path(new)}/{old.id}", body=_body(new))
        return {**picked(answer, _FIELDS), **new}

    def recover(self, new: Props) -> Made | None:
        """Looks for its pattern with its script."""
        found = self._own(new)
        return self.made(new, found) if found else None

    def _own(self, new: Props) -> dict[str, Any] | None:
        listed: list[dict[str, Any]] = self.access.client.call("GET", self.path(new)) or []
        wanted = (new["pattern"], new.get("script"))
        return next(
            (one for one in listed if (one.get("pattern"), one.get("script")) == wanted), None
        )


def _body(new: Props) -> Any:
    return to_api({key: new[key] for key in _FIELDS if key in new})


def _not_ours(new: Props) -> EngineError:
    return EngineError(
        f"the route {new['pattern']!r} is there already, and this stack did not make it",
        remedy="Choose another pattern, or delete the route where it is declared.",
    )
