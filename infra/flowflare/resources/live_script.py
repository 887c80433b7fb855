"""What Cloudflare runs under a script's name, and the uploads that carry class migrations.

Used by the `DurableObjectMigrations` provider alone; `WorkersScript` uploads everything else.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowflare.api import Client, Part
from flowflare.errors import ApiError, ClassMigrationError
from flowflare.model import ClassMigration
from flowflare.model.class_migrations import pending, upload_block

_TAG_MISMATCH = 10079
_JAVASCRIPT = "application/javascript+module"


@dataclass(frozen=True)
class ScriptUpload:
    """A script as its class migrations need it.

    Attributes:
        account_id: the account.
        script_name: the script.
        database_id: the D1 database that it binds, which also tells whose script it is.
        bindings: what it has before its clients exist, as the API takes them.
        main_module: the module's name.
        content: the module.
        compatibility_date: the date whose behaviour it gets.
        compatibility_flags: runtime flags.
        history: all class migrations, oldest first.
    """

    account_id: str
    script_name: str
    database_id: str
    bindings: tuple[Mapping[str, object], ...]
    main_module: str
    content: str
    compatibility_date: str
    compatibility_flags: tuple[str, ...]
    history: tuple[ClassMigration, ...]


@dataclass(frozen=True)
class LiveScript:
    """What is live under a name: its last class migration and its bindings."""

    migration_tag: str | None
    bindings: tuple[Mapping[str, Any], ...]

    def binds_database(self, database_id: str) -> bool:
        """Whether it uses that D1 database."""
        return any(
            binding.get("type") == "d1"
            and database_id in (binding.get("id"), binding.get("database_id"))
            for binding in self.bindings
        )


def read_live(client: Client, account_id: str, script_name: str) -> LiveScript | None:
    """Reads the live script, None where there is none."""
    tag = read_tag(client, account_id, script_name)
    if tag is None:
        return None
    path = f"/accounts/{account_id}/workers/scripts/{script_name}/settings"
    settings = client.call("GET", path)
    return LiveScript(tag or None, tuple(settings.get("bindings") or ()))


def read_tag(client: Client, account_id: str, script_name: str) -> str | None:
    """The tag of the live script's last class migration: empty for none, None for no script."""
    try:
        service = client.call("GET", f"/accounts/{account_id}/workers/services/{script_name}")
    except ApiError as error:
        if error.status == 404:
            return None
        raise
    return str(service["default_environment"]["script"].get("migration_tag") or "")


def bring_up(client: Client, upload: ScriptUpload, *, made_by_us: bool) -> str:
    """Applies the class migrations that the live script lacks, uploading it if need be.

    A script that is not there is uploaded with the whole history, and with nothing but its storage
    bound: without its key the service refuses every caller. A live one keeps every binding.

    Args:
        client: the API.
        upload: the script.
        made_by_us: whether state says so; otherwise the script must bind this stack's database,
            as one does that a killed run left behind.

    Returns:
        The last tag, which is live now.

    Raises:
        ClassMigrationError: somebody else's script, or a live tag that is not in the history.
        ApiError: Cloudflare refused.
    """
    last = upload.history[-1].tag
    live = read_live(client, upload.account_id, upload.script_name)
    if live is None:
        _put(client, upload, upload.bindings, upload_block(upload.history, None))
        return last
    if not made_by_us and not live.binds_database(upload.database_id):
        message = (
            f"{upload.script_name}: a script of that name exists, and this stack did not make it"
        )
        remedy = (
            "Give the service another name (`flowflare:names: {service: ...}`), or delete that "
            "script. To adopt it is not possible yet."
        )
        raise ClassMigrationError(message, remedy=remedy)
    steps = pending(upload.history, live.migration_tag, script_name=upload.script_name)
    if steps:
        inherited = [{"type": "inherit", "name": binding["name"]} for binding in live.bindings]
        _put(client, upload, inherited, upload_block(steps, live.migration_tag))
    return last


def _put(
    client: Client,
    upload: ScriptUpload,
    bindings: Sequence[Mapping[str, object]],
    migrations: Mapping[str, object] | None,
) -> None:
    metadata = {
        "main_module": upload.main_module,
        "bindings": list(bindings),
        "compatibility_date": upload.compatibility_date,
        "compatibility_flags": list(upload.compatibility_flags),
        "migrations": migrations,
    }
    parts = [
        Part("metadata", json.dumps(metadata), "application/json"),
        Part(upload.main_module, upload.content, _JAVASCRIPT, filename=upload.main_module),
    ]
    path = f"/accounts/{upload.account_id}/workers/scripts/{upload.script_name}"
    try:
        client.call("PUT", path, parts=parts, query={"bindings_inherit": "strict"})
    except ApiError as error:
        live = read_tag(client, upload.account_id, upload.script_name)
        if _TAG_MISMATCH not in error.codes or live != upload.history[-1].tag:
            raise
        # It was done and the answer got lost: this refusal is for the client's repetition.
