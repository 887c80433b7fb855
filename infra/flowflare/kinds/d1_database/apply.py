"""Create, update and delete D1 databases; a repeated creation would make a second one."""

from typing import Any

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import from_api, pick_attributes, to_api
from flowflare.values.properties import Props

NAME_TAKEN = 7502
#: The attributes of a response that become outputs.
COMPUTED = ("createdAt", "fileSize", "numTables", "uuid", "version", "readReplication")


class D1Database(CloudflareHandler):
    """`cloudflare:index/d1Database:D1Database`."""

    required = ("accountId", "name")
    replace_keys = ("accountId", "name", "jurisdiction", "primaryLocationHint")
    identity = ("accountId", "name")

    def create(self, new: Props) -> Made:
        """Create it once; `readReplication` can only be set afterwards (TF provider #6309).

        Raises:
            EngineError: the account has a database of that name that this stack did not create.
        """
        answer = self._post(new)
        made = Made(str(answer["uuid"]), _make_outputs(new, answer))
        if "readReplication" not in new:
            return made
        return Made(made.id, self.update(Existing(made.id, new, made.outputs), new))

    def update(self, old: Existing, new: Props) -> Props:
        """Set the read replication; nothing else can change."""
        replication = new.get("readReplication", {"mode": "disabled"})
        path = f"{_path(new)}/{old.id}"
        answer = self.access.client.call(
            "PUT", path, body={"read_replication": to_api(replication)}
        )
        return {**old.outputs, **_make_outputs(new, answer)}

    def delete(self, old: Existing) -> None:
        """Delete it with all its data."""
        self.delete_at(f"{_path(old.inputs or old.outputs)}/{old.id}")

    def look_up(self, known: Props) -> Props:
        """Read it from the API by its ID."""
        answer = self.access.client.call("GET", f"{_path(known)}/{known['uuid']}")
        return {**known, **pick_attributes(answer, COMPUTED)}

    def id_of(self, known: Props) -> str:
        """Return the UUID that Cloudflare generated."""
        return str(known["uuid"])

    def recover(self, new: Props) -> Made | None:
        """Find it by its exact name; a database with tables is not the one just created."""
        found = self._find_by_name(new)
        if found is None or found.get("num_tables"):
            return None
        is_set = "readReplication" in new
        # After a creation, the plugin stores an empty value for what the program does not set. With
        # the response's value in state it would plan to reset the replication.
        outputs = _make_outputs(new, found) | ({} if is_set else {"readReplication": {}})
        return Made(str(found["uuid"]), outputs, not is_set)

    def _post(self, new: Props) -> dict[str, Any]:
        """Send the request so that a lost response never leads to a second database."""
        wanted = ("name", "jurisdiction", "primaryLocationHint")
        body = to_api({key: new[key] for key in wanted if key in new})
        try:
            answer: dict[str, Any] = self.access.client.call(
                "POST", _path(new), body=body, find=lambda: self._find_ours(new)
            )
        except ApiError as error:
            if NAME_TAKEN not in error.codes:
                raise
            found = self._find_ours(new) if error.doubtful else None
            if found is None:
                raise _make_not_ours_error(new) from None
            return found
        return answer

    def _find_ours(self, new: Props) -> dict[str, Any] | None:
        """Find the database of that name, which is ours if it is empty."""
        found = self._find_by_name(new)
        if found is not None and found.get("num_tables"):
            raise _make_not_ours_error(new)
        return found

    def _find_by_name(self, new: Props) -> dict[str, Any] | None:
        client = self.access.client
        listed = client.call("GET", _path(new), query={"name": new["name"]}) or []
        uuid = next((row["uuid"] for row in listed if row.get("name") == new["name"]), None)
        return client.call("GET", f"{_path(new)}/{uuid}") if uuid else None


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/d1/database"


def _make_outputs(new: Props, answer: Any) -> Props:
    computed = {} if answer is None else from_api(answer)
    return {**{key: computed[key] for key in COMPUTED if key in computed}, **new}


def _make_not_ours_error(new: Props) -> EngineError:
    return EngineError(
        f"a D1 database named {new['name']!r} already exists, and this stack did not create it",
        remedy="Give the stack's database another name (flowflare:names), or delete the other one.",
    )
