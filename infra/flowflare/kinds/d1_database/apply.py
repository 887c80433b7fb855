"""D1 databases: the one thing here that a second request would make a second of."""

from typing import Any

from flowflare.errors import ApiError, EngineError
from flowflare.kinds.cloudflare_handler import CloudflareHandler
from flowflare.kinds.handler import Existing, Made
from flowflare.kinds.spelling import from_api, picked, to_api
from flowflare.values.properties import Props

NAME_TAKEN = 7502
#: What of an answer becomes outputs.
COMPUTED = ("createdAt", "fileSize", "numTables", "uuid", "version", "readReplication")


class D1Database(CloudflareHandler):
    """`cloudflare:index/d1Database:D1Database`."""

    required = ("accountId", "name")
    replace_keys = ("accountId", "name", "jurisdiction", "primaryLocationHint")
    identity = ("accountId", "name")

    def create(self, new: Props) -> Made:
        """Makes it, once; `readReplication` can only be set afterwards (TF provider #6309).

        Raises:
            EngineError: there is one of that name that this stack did not make.
        """
        answer = self._post(new)
        made = Made(str(answer["uuid"]), _outputs(new, answer))
        if "readReplication" not in new:
            return made
        return Made(made.id, self.update(Existing(made.id, new, made.outputs), new))

    def update(self, old: Existing, new: Props) -> Props:
        """Sets what may change: the read replication."""
        replication = new.get("readReplication", {"mode": "disabled"})
        path = f"{_path(new)}/{old.id}"
        answer = self.access.client.call(
            "PUT", path, body={"read_replication": to_api(replication)}
        )
        return {**old.outputs, **_outputs(new, answer)}

    def delete(self, old: Existing) -> None:
        """Deletes it with all its data."""
        self.delete_at(f"{_path(old.inputs or old.outputs)}/{old.id}")

    def look_up(self, known: Props) -> Props:
        """Asks for it by its id."""
        answer = self.access.client.call("GET", f"{_path(known)}/{known['uuid']}")
        return {**known, **picked(answer, COMPUTED)}

    def id_of(self, known: Props) -> str:
        """The UUID that Cloudflare gave it."""
        return str(known["uuid"])

    def recover(self, new: Props) -> Made | None:
        """Looks for it by its exact name; one with tables is not what was just being made."""
        found = self._named(new)
        if found is None or found.get("num_tables"):
            return None
        is_set = "readReplication" in new
        # What the program does not set, the plugin stores as empty at a creation. With the value of
        # the answer in state it would plan to reset it.
        outputs = _outputs(new, found) | ({} if is_set else {"readReplication": {}})
        return Made(str(found["uuid"]), outputs, not is_set)

    def _post(self, new: Props) -> dict[str, Any]:
        """Sends the request so that an answer lost on the way never makes a second database."""
        wanted = ("name", "jurisdiction", "primaryLocationHint")
        body = to_api({key: new[key] for key in wanted if key in new})
        try:
            answer: dict[str, Any] = self.access.client.call(
                "POST", _path(new), body=body, find=lambda: self._ours(new)
            )
        except ApiError as error:
            if NAME_TAKEN not in error.codes:
                raise
            found = self._ours(new) if error.doubtful else None
            if found is None:
                raise _not_ours(new) from None
            return found
        return answer

    def _ours(self, new: Props) -> dict[str, Any] | None:
        """The database of that name, taken for ours if it is as empty as a new one."""
        found = self._named(new)
        if found is not None and found.get("num_tables"):
            raise _not_ours(new)
        return found

    def _named(self, new: Props) -> dict[str, Any] | None:
        client = self.access.client
        listed = client.call("GET", _path(new), query={"name": new["name"]}) or []
        uuid = next((one["uuid"] for one in listed if one.get("name") == new["name"]), None)
        return client.call("GET", f"{_path(new)}/{uuid}") if uuid else None


def _path(known: Props) -> str:
    return f"/accounts/{known['accountId']}/d1/database"


def _outputs(new: Props, answer: Any) -> Props:
    computed = {} if answer is None else from_api(answer)
    return {**{key: computed[key] for key in COMPUTED if key in computed}, **new}


def _not_ours(new: Props) -> EngineError:
    return EngineError(
        f"a D1 database named {new['name']!r} is there already, and this stack did not make it",
        remedy="Give the stack's database another name (flowflare:names), or delete the other one.",
    )
