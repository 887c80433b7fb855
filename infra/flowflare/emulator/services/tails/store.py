"""Hold the rules of tails: what they filter, and how long they live."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from flowflare.emulator import codes
from flowflare.emulator.clock import now, plain_id
from flowflare.emulator.database import Database, Store
from flowflare.emulator.json_text import write_json
from flowflare.emulator.services.scripts.store import ScriptsStore

_LIFETIME = timedelta(hours=6)


@dataclass(frozen=True)
class Tail:
    """Describe a tail of a script."""

    id: str
    expires_at: str


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    key: str
    query: str | None = None


class _Filter(BaseModel):
    """Hold one filter, which has one member. Source: the filters that wrangler 4.164 sends."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sampling_rate: float | None = None
    outcome: list[str] | None = None
    method: list[str] | None = None
    header: _Header | None = None
    client_ip: list[str] | None = None
    query: str | None = None


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    filters: list[_Filter] = []


class TailsStore(Store):
    """Store the tails of all scripts. They end with the emulator, as their WebSockets do.

    Args:
        database: the emulator's file.
    """

    def __init__(self, database: Database, scripts: ScriptsStore) -> None:
        super().__init__(database)
        self._scripts = scripts
        database.run("DELETE FROM tails")

    def list_tails(self, account: str, script: str) -> list[Tail]:
        """List the tails of a script that have not expired. Refusal: 10007."""
        self._scripts.get(account, script)
        rows = self._database.rows(
            "SELECT id, expires_at FROM tails WHERE account = ? AND script = ? AND expires_at > ? "
            "ORDER BY expires_at",
            *(account, script, now()),
        )
        return [Tail(row["id"], row["expires_at"]) for row in rows]

    def create(self, account: str, script: str, body: Mapping[str, Any]) -> Tail:
        """Create a tail.

        Raises:
            Refusal: 10007; 10001 a filter that the emulator does not know, such as a version's
                (our reading).
        """
        try:
            filters = _Body.model_validate(body).filters
        except ValidationError as error:
            first = error.errors()[0]
            path = ".".join(str(key) for key in first["loc"])
            raise codes.invalid_body(f"{path}: {first['msg']}") from None
        self._scripts.get(account, script)
        expires = (datetime.now(UTC) + _LIFETIME).isoformat().replace("+00:00", "Z")
        tail = Tail(plain_id(), expires)
        with self._database.transaction():
            self._database.run("DELETE FROM tails WHERE expires_at <= ?", now())
            self._database.run(
                "INSERT INTO tails VALUES (?, ?, ?, ?, ?)",
                *(tail.id, account, script),
                write_json([item.model_dump(exclude_none=True) for item in filters]),
                tail.expires_at,
            )
        return tail

    def delete(self, account: str, script: str, tail: str) -> None:
        """Delete a tail if it exists. Refusal: 10007."""
        self._scripts.get(account, script)
        self._database.run(
            "DELETE FROM tails WHERE account = ? AND script = ? AND id = ?",
            *(account, script, tail),
        )
