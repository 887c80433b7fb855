"""Apply a script's class migrations, request by request.

Cloudflare deletes a class only in a separate upload: no script may then bind the class, live or in
the upload (10061), and the class must be removed from the code in the same upload, not before
(10064). After each request here, the next run can continue.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowflare.api import Client, Part
from flowflare.errors import ApiError, ClassMigrationError
from flowflare.kinds.live_script import (
    LiveScript,
    Namespace,
    read_live,
    read_namespaces,
    read_references,
    read_tag,
    script_path,
)
from flowflare.model.class_history import (
    compute_net_effect,
    find_fates,
    list_classes_after,
    list_losses,
    replace_missing_transfers,
)
from flowflare.model.class_migrations import ClassMigration, list_pending, make_upload_block

_TAG_MISMATCH = 10079
_EXPORTS_REFUSED = 100402
_OBJECTS = "durable_object_namespace"


@dataclass(frozen=True)
class ScriptUpload:
    """The part of a script that its class migrations need.

    Attributes:
        bindings: its bindings to resources that exist before the script, in the API's spelling; a
            database or service among them identifies the owner of the script.
        modules: the parts of the upload that are its modules, the main module first.
        history: all class migrations, oldest first.
        scripts: the stack's scripts; bindings of other scripts are not changed.
        taken: classes that other scripts of the stack take over, with the script's name.
        allow_data_loss: the reason why objects may be lost; None if they may not.
    """

    account_id: str
    script_name: str
    bindings: tuple[Mapping[str, object], ...]
    main_module: str
    modules: tuple[Part, ...]
    compatibility_date: str
    compatibility_flags: tuple[str, ...]
    history: tuple[ClassMigration, ...]
    scripts: tuple[str, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)
    allow_data_loss: str | None = None


def bring_up(client: Client, upload: ScriptUpload, *, made_by_us: bool) -> str:
    """Apply the class migrations that the live script lacks; upload the script if necessary.

    A missing script is uploaded with the history's net effect, and only its storage is bound:
    without its key, the service refuses all callers. A live script keeps all settings, and all
    bindings except those to deleted classes.

    Args:
        made_by_us: whether state has the script. Otherwise the script must bind a database or
            service of this stack, as the script of a killed run does.

    Returns:
        The last tag, which is now live.

    Raises:
        ClassMigrationError: the script is not this stack's, its live tag is not in the history, or
            a step cannot be applied.
        ApiError: Cloudflare refused a request.
    """
    last = upload.history[-1].tag
    live = read_live(client, upload.account_id, upload.script_name)
    if live is None:
        moves = any(step.transferred_classes for step in upload.history)
        has = read_namespaces(client, upload.account_id) if moves else ()
        begun = _replace_missing_sources(client, upload, upload.history, has)
        steps = compute_net_effect(begun, (), without=upload.taken)
        _put(client, upload, upload.bindings, make_upload_block(steps, None, last_tag=last))
        return last
    if not made_by_us and not live.is_bound_like(upload.bindings):
        message = (
            f"{upload.script_name}: a script of that name exists, and this stack did not create it"
        )
        remedy = (
            "To manage the existing script with this stack, import it: flowflare adopt. Otherwise "
            "give this stack's script another name in `flowflare:names`."
        )
        raise ClassMigrationError(message, remedy=remedy)
    steps = list_pending(upload.history, live.migration_tag, script_name=upload.script_name)
    if steps:
        _apply_pending(client, upload, live, steps)
    return last


def _apply_pending(
    client: Client, upload: ScriptUpload, live: LiveScript, steps: Sequence[ClassMigration]
) -> None:
    """Apply the pending steps to a live script."""
    applied = upload.history[: len(upload.history) - len(steps)]
    namespaces = read_namespaces(client, upload.account_id)
    has = [namespace for namespace in namespaces if namespace.script == upload.script_name]
    before = list_classes_after(applied)
    _refuse_exports(live, has)
    _refuse_key_value(upload, has, before)
    outcome = find_fates(steps, before)
    ends = {name for name, after in outcome.items() if after is None}
    lost = {name for _, name in list_losses(steps, before)}
    if lost and not upload.allow_data_loss:
        message = f"{upload.script_name}: deleting {_join_names(lost)} deletes its objects' data"
        raise ClassMigrationError(message, remedy=f"If this is intended, {_ALLOW}")
    transferable = _replace_missing_sources(client, upload, steps, namespaces)
    if ends:
        identities = {namespace.id for namespace in has if namespace.class_name in ends}
        _unbind_elsewhere(client, upload, identities, ends)
        bound = {name for name, owner in live.own_classes().items() if owner in ends}
        _drop_bindings(client, upload.account_id, upload.script_name, bound)
    sent = compute_net_effect(transferable, before, without=upload.taken)
    block = make_upload_block(sent, live.migration_tag, last_tag=steps[-1].tag)
    _put(client, upload, _carry_bindings(live, outcome, ends), block, live.kept_settings())


def _carry_bindings(
    live: LiveScript, outcome: Mapping[str, str | None], ends: Collection[str]
) -> list[Mapping[str, object]]:
    """Return the live bindings for the upload: inherited, except those to changed classes."""
    own, carried = live.own_classes(), list[Mapping[str, object]]()
    for binding in live.bindings:
        name = str(binding["name"])
        # Cloudflare only compares the class's name, even of a binding to another script.
        if binding.get("type") == _OBJECTS and binding.get("class_name") in ends:
            continue
        after = outcome.get(own[name]) if name in own else None
        if after is not None and after != own[name]:
            carried.append({"type": _OBJECTS, "name": name, "class_name": after})
        else:
            carried.append({"type": "inherit", "name": name})
    return carried


def _replace_missing_sources(
    client: Client,
    upload: ScriptUpload,
    steps: Sequence[ClassMigration],
    has: Sequence[Namespace],
) -> tuple[ClassMigration, ...]:
    """Return the steps, with new classes instead of moves whose source does not exist."""
    moves = [move for step in steps for move in step.transferred_classes]
    there = {(move.script, move.class_name) for move in has}
    missing = {(move.from_script, move.old) for move in moves} - there
    for script, name in sorted(missing):
        if read_tag(client, upload.account_id, script) is not None:
            others = _join_names(found for owner, found in there if owner == script)
            reason = f"the script {script} has no Durable Object class {name}, "
            reason += f"only {others}" if others else "nor any other"
            remedy = (
                "Correct `from`. If the other script renames the class to this name, run `up` for "
                "that step first. If the class was moved already, use newSqliteClasses."
            )
        elif script not in upload.scripts and not upload.allow_data_loss:
            reason = f"the script {script} with the Durable Object class {name} does not exist"
            remedy = f"Correct `fromScript`. To create the class without objects, {_ALLOW}"
        else:
            continue
        raise ClassMigrationError(f"{upload.script_name}: {reason}", remedy=remedy)
    return replace_missing_transfers(steps, missing)


def _unbind_elsewhere(
    client: Client, upload: ScriptUpload, identities: Collection[str], ends: Collection[str]
) -> None:
    """Remove bindings to deleted classes from the stack's other scripts; refuse foreign ones."""
    found = [
        reference
        for reference in read_references(client, upload.account_id, upload.script_name)
        if reference.namespace in identities and reference.script != upload.script_name
    ]
    foreign = [reference for reference in found if reference.script not in upload.scripts]
    if foreign:
        users = ", ".join(f"{reference.script} (as {reference.binding})" for reference in foreign)
        message = (
            f"{upload.script_name}: {_join_names(ends)} cannot be deleted while scripts outside of "
            f"this stack are bound to it: {users}"
        )
        remedy = "Remove those bindings and deploy those scripts, then run this again."
        raise ClassMigrationError(message, remedy=remedy)
    for script in sorted({reference.script for reference in found}):
        names = {reference.binding for reference in found if reference.script == script}
        _drop_bindings(client, upload.account_id, script, names)


def _drop_bindings(
    client: Client, account_id: str, script_name: str, names: Collection[str]
) -> None:
    """Remove bindings from a live script; keep its code and everything else."""
    if not names:
        return
    path = f"{script_path(account_id, script_name)}/settings"
    bindings = client.call("GET", path).get("bindings") or ()
    left = [
        {"type": "inherit", "name": binding["name"]}
        for binding in bindings
        if binding["name"] not in names
    ]
    if len(left) < len(bindings):
        part = Part("settings", json.dumps({"bindings": left}), "application/json")
        client.call("PATCH", path, parts=[part])


def _refuse_exports(live: LiveScript, has: Sequence[Namespace]) -> None:
    if live.migration_tag or not has:
        return
    classes = _join_names(namespace.class_name for namespace in has)
    raise _make_exports_error(f"{live.name}: it has {classes} and no class migration tag")


def _make_exports_error(reason: str) -> ClassMigrationError:
    message = f"{reason}: it declares its Durable Objects as `exports`, as newer wranglers do"
    remedy = (
        "Cloudflare does not let a script return from `exports` to class migrations. Keep "
        "deploying it with wrangler, or give the client another name and create new classes."
    )
    return ClassMigrationError(message, remedy=remedy)


def _refuse_key_value(
    upload: ScriptUpload, has: Sequence[Namespace], before: Collection[str]
) -> None:
    old = {
        namespace.class_name
        for namespace in has
        if not namespace.use_sqlite and namespace.class_name in before
    }
    if old:
        message = (
            f"{upload.script_name}: the live class {_join_names(old)} has key-value storage, and "
            "the history says SQLite"
        )
        remedy = (
            "A class never changes its storage. Create a class of another name, copy the data in "
            "your code, and delete the old class afterwards."
        )
        raise ClassMigrationError(message, remedy=remedy)


_ALLOW = "write the reason into flowflare:allowDataLoss, under the name of this resource."


def _join_names(names: Any) -> str:
    return ", ".join(sorted(names))


def _put(
    client: Client,
    upload: ScriptUpload,
    bindings: Sequence[Mapping[str, object]],
    migrations: Mapping[str, object] | None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    metadata = {
        **(settings or {}),
        "main_module": upload.main_module,
        "bindings": list(bindings),
        "compatibility_date": upload.compatibility_date,
        "compatibility_flags": list(upload.compatibility_flags),
        "migrations": migrations,
    }
    parts = [Part("metadata", json.dumps(metadata), "application/json"), *upload.modules]
    path = script_path(upload.account_id, upload.script_name)
    try:
        client.call("PUT", path, parts=parts, query={"bindings_inherit": "strict"})
    except ApiError as error:
        if _EXPORTS_REFUSED in error.codes:
            raise _make_exports_error(f"{upload.script_name}: {error.message}") from None
        live = read_tag(client, upload.account_id, upload.script_name)
        if _TAG_MISMATCH not in error.codes or live != upload.history[-1].tag:
            raise
        # The upload succeeded and its response was lost: this error is for the repeated request.
