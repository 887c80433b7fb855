"""Routes: a pattern of a zone that a script answers."""

from typing import Any

from flowflare.engine.providers.cloudflare.kind import Kind, picked, to_api
from flowflare.engine.providers.protocol import Existing, Made
from flowflare.engine.values import Props
from flowflare.errors import ApiError, EngineError

PATTERN_TAKEN = 10020
_FIELDS = ("pattern", "script")


class WorkersRoute(Kind):
    """`cloudflare:index/workersRoute:WorkersRoute`."""

    required = ("zoneId", "pattern")
    replace_keys = ("zoneId",)
    identity = ("zoneId", "pattern")

    def create(self, new: Props) -> Made:
        """Makes it, once: an answer lost on the way is looked for by its pattern.

        Raises:
            EngineError: another script has the pattern.
        """
        try:
            answer = self.access.client.call(
                "POST", _path(new), body=_body(new), find=lambda: self._own(new)
            )
        except ApiError as error:
            if PATTERN_TAKEN not in error.codes:
                raise
            found = self._own(new) if error.doubtful else None
            if found is None:
                raise _not_ours(new) from None
            return _made(new, found)
        return _made(new, answer)

    def update(self, old: Existing, new: Props) -> Props:
        """Gives it another pattern or script."""
        answer = self.access.client.call("PUT", f"{_path(new)}/{old.id}", body=_body(new))
        return {**picked(answer, _FIELDS), **new}

    def delete(self, old: Existing) -> None:
        """Removes it; one that is gone with its zone is a success."""
        self.delete_at(f"{_path(old.inputs or old.outputs)}/{old.id}")

    def read(self, old: Existing) -> Made | None:
        """Looks it up by its id, which no property holds."""
        return super().read(Existing(old.id, {**old.inputs, "id": old.id}, old.outputs))

    def look_up(self, known: Props) -> Props:
        """Asks for it by its id."""
        answer = self.access.client.call("GET", f"{_path(known)}/{known['id']}")
        kept = {key: value for key, value in known.items() if key != "id"}
        return {**kept, **picked(answer, _FIELDS)}

    def id_of(self, known: Props) -> str:
        """The id that Cloudflare gave it."""
        return str(known["id"])

    def recover(self, new: Props) -> Made | None:
        """Looks for its pattern with its script."""
        found = self._own(new)
        return _made(new, found) if found else None

    def _own(self, new: Props) -> dict[str, Any] | None:
        listed: list[dict[str, Any]] = self.access.client.call("GET", _path(new)) or []
        wanted = (new["pattern"], new.get("script"))
        return next(
            (one for one in listed if (one.get("pattern"), one.get("script")) == wanted), None
        )


def _path(known: Props) -> str:
    return f"/zones/{known['zoneId']}/workers/routes"


def _body(new: Props) -> Any:
    return to_api({key: new[key] for key in _FIELDS if key in new})


def _made(new: Props, answer: dict[str, Any]) -> Made:
    return Made(str(answer["id"]), {**picked(answer, _FIELDS), **new})


def _not_ours(new: Props) -> EngineError:
    return EngineError(
        f"the route {new['pattern']!r} is there already, and this stack did not make it",
        remedy="Choose another pattern, or delete the route where it is declared.",
    )
