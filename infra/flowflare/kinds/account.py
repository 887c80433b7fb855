"""Read an account. Each list is read at most once for all stacks, and all requests are counted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flowflare.api import Client
from flowflare.errors import ApiError
from flowflare.kinds.access import is_gone
from flowflare.kinds.pages import PAGE, read_pages

_NAMESPACES: Final = 1000
Row = Mapping[str, Any]


class Account:
    """One account; reads it by the API, and writes nothing.

    Attributes:
        calls: the number of requests so far, without retries.
    """

    def __init__(self, client: Client, account_id: str) -> None:
        self.client = client
        self.identity = account_id
        self._base = f"/accounts/{account_id}"
        self._known: dict[str, Any] = {}
        self.calls = 0

    def scripts(self) -> dict[str, Row]:
        """Read the account's scripts by name, with their etags and tags."""
        return {str(row["id"]): row for row in self._once("/workers/scripts")}

    def settings(self, script: str) -> Row:
        """Read a script's settings, with its bindings."""
        found: Row = self._once(f"/workers/scripts/{script}/settings")
        return found

    def schedules(self, script: str) -> tuple[str, ...]:
        """Read the cron expressions of a script, sorted."""
        return tuple(sorted(str(trigger["cron"]) for trigger in self.cron_triggers(script)))

    def cron_triggers(self, script: str) -> Sequence[Row]:
        """Read the cron triggers of a script, with their times."""
        found = self._once(f"/workers/scripts/{script}/schedules")
        return tuple((found or {}).get("schedules") or ())

    def subdomain(self, script: str) -> Row:
        """Read whether a script has a workers.dev URL."""
        found: Row = self._once(f"/workers/scripts/{script}/subdomain")
        return found

    def content(self, script: str) -> str:
        """Read a script's modules, as a multipart body."""
        return str(self._once(f"/workers/scripts/{script}/content/v2"))

    def deployed_from(self, script: str) -> str:
        """Read what deployed a script last: `dash`, `wrangler`, `api`; empty if not known."""
        listed = self.scripts().get(script, {}).get("last_deployed_from")
        if listed:
            return str(listed)
        return str(self.read_last_upload(script).get("last_deployed_from") or "")

    def read_last_upload(self, script: str) -> Row:
        """Read what Cloudflare computed from a script's last upload; empty if not known."""
        try:
            found = self._once(f"/workers/services/{script}")
        except ApiError:
            return {}  # an older API; the finding then does not name the deployer
        live: Row = (found.get("default_environment") or {}).get("script") or {}
        return live

    def domains(self) -> Sequence[Row]:
        """Read the account's custom domains."""
        found: Sequence[Row] = self._once("/workers/domains") or ()
        return found

    def routes(self, zone: str) -> Sequence[Row]:
        """Read the routes of a zone."""
        found: Sequence[Row] = self._once(f"/zones/{zone}/workers/routes", base="") or ()
        return found

    def workflows(self) -> dict[str, Row]:
        """Read the account's Workflows by name."""
        return {str(row["name"]): row for row in self.read_list("/workflows", PAGE)}

    def namespaces(self) -> Sequence[Row]:
        """Read the account's Durable Object namespaces."""
        return self.read_list("/workers/durable_objects/namespaces", _NAMESPACES)

    def database(self, uuid: str) -> Row | None:
        """Read a D1 database; None if it does not exist."""
        return self.find(f"/d1/database/{uuid}")

    def find(self, path: str) -> Row | None:
        """Read what the account has at a path, for example `/r2/buckets/files`.

        Returns:
            None if nothing exists there.
        """
        try:
            found: Row = self._once(path)
        except ApiError as error:
            if is_gone(error):
                return None
            raise
        return found

    def database_named(self, name: str) -> Row | None:
        """Find the D1 database of exactly that name; None if it does not exist."""
        path = f"{self._base}/d1/database"
        listed = self._get(path, {"name": name, "per_page": str(PAGE)}) or []
        uuid = next((str(row["uuid"]) for row in listed if row.get("name") == name), None)
        return None if uuid is None else self.database(uuid)

    def query(self, uuid: str, sql: str) -> list[list[dict[str, Any]]] | None:
        """Return the rows of each SELECT in the SQL; None if the database does not exist."""
        path = f"/d1/database/{uuid}/query"
        try:
            answers = self._call(
                lambda: self.client.call("POST", f"{self._base}{path}", body={"sql": sql})
            )
        except ApiError as error:
            if is_gone(error):
                return None
            raise
        return [answer.get("results") or [] for answer in answers or ()]

    def read_list(self, path: str, size: int = PAGE) -> Sequence[Row]:
        """Read all pages of a list of the account, such as `/workflows`."""
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
