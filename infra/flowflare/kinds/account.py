"""Reads an account: each list at most once, whichever stacks ask for it, and every call counted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flowflare.api import Client
from flowflare.errors import ApiError
from flowflare.kinds.access import is_gone
from flowflare.kinds.pages import PAGE, read_pages

_NAMESPACES: Final = 1000
Row = Mapping[str, Any]


class Account:
    """One account over the API; nothing here writes.

    Args:
        client: the API.
        account_id: the account.

    Attributes:
        client: the API.
        identity: the account's id.
        calls: the requests so far, each sent once.
    """

    def __init__(self, client: Client, account_id: str) -> None:
        self.client = client
        self.identity = account_id
        self._base = f"/accounts/{account_id}"
        self._known: dict[str, Any] = {}
        self.calls = 0

    def scripts(self) -> dict[str, Row]:
        """The account's scripts by name, with their etags and tags."""
        return {str(one["id"]): one for one in self._once("/workers/scripts")}

    def settings(self, script: str) -> Row:
        """A script's bindings and the rest of its settings."""
        found: Row = self._once(f"/workers/scripts/{script}/settings")
        return found

    def schedules(self, script: str) -> tuple[str, ...]:
        """The cron expressions of a script, sorted."""
        return tuple(sorted(str(one["cron"]) for one in self.cron_triggers(script)))

    def cron_triggers(self, script: str) -> Sequence[Row]:
        """The cron triggers of a script, with their times."""
        found = self._once(f"/workers/scripts/{script}/schedules")
        return tuple((found or {}).get("schedules") or ())

    def subdomain(self, script: str) -> Row:
        """Whether a script answers at workers.dev."""
        found: Row = self._once(f"/workers/scripts/{script}/subdomain")
        return found

    def content(self, script: str) -> str:
        """A script's files as the API hands them out: a multipart body."""
        return str(self._once(f"/workers/scripts/{script}/content/v2"))

    def deployed_from(self, script: str) -> str:
        """What a script was last deployed from: `dash`, `wrangler`, `api`; empty if not known."""
        listed = self.scripts().get(script, {}).get("last_deployed_from")
        if listed:
            return str(listed)
        return str(self.deployed(script).get("last_deployed_from") or "")

    def deployed(self, script: str) -> Row:
        """What Cloudflare computed of a script's last upload; empty if it is not known."""
        try:
            found = self._once(f"/workers/services/{script}")
        except ApiError:
            return {}  # an older address; without it a finding says less
        live: Row = (found.get("default_environment") or {}).get("script") or {}
        return live

    def domains(self) -> Sequence[Row]:
        """The account's custom domains."""
        found: Sequence[Row] = self._once("/workers/domains") or ()
        return found

    def routes(self, zone: str) -> Sequence[Row]:
        """The routes of a zone."""
        found: Sequence[Row] = self._once(f"/zones/{zone}/workers/routes", base="") or ()
        return found

    def workflows(self) -> dict[str, Row]:
        """The account's Workflows by name."""
        return {str(one["name"]): one for one in self.listed("/workflows", PAGE)}

    def namespaces(self) -> Sequence[Row]:
        """The account's Durable Object namespaces."""
        return self.listed("/workers/durable_objects/namespaces", _NAMESPACES)

    def database(self, uuid: str) -> Row | None:
        """A D1 database, None where it is gone."""
        return self.find(f"/d1/database/{uuid}")

    def find(self, path: str) -> Row | None:
        """Read what the account has at a path, such as `/r2/buckets/files`; None if it is gone."""
        try:
            found: Row = self._once(path)
        except ApiError as error:
            if is_gone(error):
                return None
            raise
        return found

    def database_named(self, name: str) -> Row | None:
        """The D1 database of exactly that name, None where there is none."""
        path = f"{self._base}/d1/database"
        listed = self._get(path, {"name": name, "per_page": str(PAGE)}) or []
        uuid = next((str(one["uuid"]) for one in listed if one.get("name") == name), None)
        return None if uuid is None else self.database(uuid)

    def query(self, uuid: str, sql: str) -> list[list[dict[str, Any]]] | None:
        """The rows of each of several SELECTs; None where the database is gone."""
        path = f"/d1/database/{uuid}/query"
        try:
            answers = self._call(
                lambda: self.client.call("POST", f"{self._base}{path}", body={"sql": sql})
            )
        except ApiError as error:
            if is_gone(error):
                return None
            raise
        return [one.get("results") or [] for one in answers or ()]

    def listed(self, path: str, size: int = PAGE) -> Sequence[Row]:
        """All pages of a list of the account, such as `/workflows`."""
        if path not in self._known:
            full = f"{self._base}{path}"
            self._known[path] = list(read_pages(lambda query: self._get(full, query), size))
        rows: Sequence[Row] = self._known[path]
        return rows

    def _once(self, path: str, *, base: str | None = None) -> Any:
        full = (self._base if base is None else base) + path
        if full not in self._known:
            self._known[full] = self._get(full)
        return self._known[full]

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        return self._call(lambda: self.client.call("GET", path, query=query))

    def _call(self, send: Callable[[], Any]) -> Any:
        self.calls += 1
        return send()
