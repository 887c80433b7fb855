"""Routes: URL patterns of a zone that a script serves."""

from typing import Any

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.cloudflare_handler import KnownById
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import pick_attributes, to_api
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
        """Return the path of the zone's list of routes."""
        return f"/zones/{known['zoneId']}/workers/routes"

    def create(self, new: Props) -> Made:
        """Create the route once; if the response is lost, find the route by its pattern.

        Raises:
            EngineError: another script has the pattern.
        """
        try:
            answer = self.access.client.call(
                "POST", self.path(new), body=_body(new), find=lambda: self._find_own(new)
            )
        except ApiError as error:
            if PATTERN_TAKEN not in error.codes:
                raise
            found = self._find_own(new) if error.doubtful else None
            if found is None:
                raise _make_not_ours_error(new) from None
            return self.parse_answer(new, found)
        return self.parse_answer(new, answer)

    def update(self, old: Existing, new: Props) -> Props:
        """Change the pattern or the script."""
        answer = self.access.client.call("PUT", f"{self.path(new)}/{old.id}", body=_body(new))
        return {**pick_attributes(answer, _FIELDS), **new}

    def recover(self, new: Props) -> Made | None:
        """Find the route by its pattern and script."""
        found = self._find_own(new)
        return self.parse_answer(new, found) if found else None

    def _find_own(self, new: Props) -> dict[str, Any] | None:
        listed: list[dict[str, Any]] = self.access.client.call("GET", self.path(new)) or []
        wanted = (new["pattern"], new.get("script"))
        return next(
            (route for route in listed if (route.get("pattern"), route.get("script")) == wanted),
            None,
        )


def _body(new: Props) -> Any:
    return to_api({key: new[key] for key in _FIELDS if key in new})


def _make_not_ours_error(new: Props) -> EngineError:
    return EngineError(
        f"the route {new['pattern']!r} already exists, and this stack did not create it",
        remedy="Choose another pattern, or delete the route where it is declared.",
    )
