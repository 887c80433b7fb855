"""Brings a script's Durable Object classes to the end of its history, call by call.

Cloudflare deletes a class only in an upload of its own: neither the script that has it nor any
other may bind it then, live or in the upload (10061), and the class goes out of the code in the
same upload, not before (10064). Each call here leaves a state from which the next run goes on.
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
_JAVASCRIPT = "application/javascript+module"
_OBJECTS = "durable_object_namespace"


@dataclass(frozen=True)
class ScriptUpload:
    """A script as its class migrations need it.

    Attributes:
        account_id: the account.
        script_name: the script.
        bindings: what it has before what it depends on exists, as the API takes them; a database
            or service among them tells whose script it is.
        main_module: the module's name.
        content: the module.
        compatibility_date: the date whose behaviour it gets.
        compatibility_flags: runtime flags.
        history: all class migrations, oldest first.
        scripts: the stack's scripts; bindings of others are not touched.
        taken: classes that other scripts of the stack take over, with the script's name.
        allow_data_loss: why objects may be lost, None where they may not.
    """

    account_id: str
    script_name: str
    bindings: tuple[Mapping[str, object], ...]
    main_module: str
    content: str
    compatibility_date: str
    compatibility_flags: tuple[str, ...]
    history: tuple[ClassMigration, ...]
    scripts: tuple[str, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)
    allow_data_loss: str | None = None


def bring_up(client: Client, upload: ScriptUpload, *, made_by_us: bool) -> str:
    """Applies the class migrations that the live script lacks, uploading it if need be.

    A script that is not there is uploaded with the history's net effect, and with nothing but its
    storage bound: without its key the service refuses every caller. A live one keeps every binding
    but those to classes that end, and every setting.

    Args:
        client: the API.
        upload: the script.
        made_by_us: whether state says so; otherwise the script must bind a database or service of
            this stack, as one does that a killed run left behind.

    Returns:
        The last tag, which is live now.

    Raises:
        ClassMigrationError: somebody else's script, a live tag that is not in the history, or a
            step that cannot be applied as things are.
        ApiError: Cloudflare refused.
    """
    last = upload.history[-1].tag
    live = read_live(client, upload.account_id, upload.script_name)
    if live is None:
        moves = any(step.transferred_classes for step in upload.history)
        has = read_namespaces(client, upload.account_id) if moves else ()
        begun = _transferable(client, upload, upload.history, has)
        steps = compute_net_effect(begun, (), without=upload.taken)
        _put(client, upload, upload.bindings, make_upload_block(steps, None, last_tag=last))
        return last
    if not made_by_us and not live.is_bound_like(upload.bindings):
        message = (
            f"{upload.script_name}: a script of that name exists, and this stack did not make it"
        )
        remedy = (
            "If it was installed by hand and is to go on as this stack's, take it over: flowflare "
            "adopt. Otherwise give this one another name in `flowflare:names`."
        )
        raise ClassMigrationError(message, remedy=remedy)
    steps = list_pending(upload.history, live.migration_tag, script_name=upload.script_name)
    if steps:
        _go_on(client, upload, live, steps)
    return last


def _go_on(
    client: Client, upload: ScriptUpload, live: LiveScript, steps: Sequence[ClassMigration]
) -> None:
    """Applies what is pending to a script that is live."""
    applied = upload.history[: len(upload.history) - len(steps)]
    namespaces = read_namespaces(client, upload.account_id)
    has = [one for one in namespaces if one.script == upload.script_name]
    before = list_classes_after(applied)
    _refuse_exports(live, has)
    _refuse_key_value(upload, has, before)
    outcome = find_fates(steps, before)
    ends = {name for name, after in outcome.items() if after is None}
    lost = {name for _, name in list_losses(steps, before)}
    if lost and not upload.allow_data_loss:
        message = f"{upload.script_name}: deleting {_listed(lost)} loses all its objects' data"
        raise ClassMigrationError(message, remedy=f"If that is meant, {_ALLOW}")
    transferable = _transferable(client, upload, steps, namespaces)
    if ends:
        identities = {one.id for one in has if one.class_name in ends}
        _unbind_elsewhere(client, upload, identities, ends)
        bound = {name for name, owner in live.own_classes().items() if owner in ends}
        _drop_bindings(client, upload.account_id, upload.script_name, bound)
    sent = compute_net_effect(transferable, before, without=upload.taken)
    block = make_upload_block(sent, live.migration_tag, last_tag=steps[-1].tag)
    _put(client, upload, _carried(live, outcome, ends), block, live.kept_settings())


def _carried(
    live: LiveScript, outcome: Mapping[str, str | None], ends: Collection[str]
) -> list[Mapping[str, object]]:
    """The live bindings as the upload names them: inherited but for classes that change."""
    own, carried = live.own_classes(), list[Mapping[str, object]]()
    for binding in live.bindings:
        name = str(binding["name"])
        # Cloudflare compares the class's name alone, even of a binding to another script.
        if binding.get("type") == _OBJECTS and binding.get("class_name") in ends:
            continue
        after = outcome.get(own[name]) if name in own else None
        if after is not None and after != own[name]:
            carried.append({"type": _OBJECTS, "name": name, "class_name": after})
        else:
            carried.append({"type": "inherit", "name": name})
    return carried


def _transferable(
    client: Client,
    upload: ScriptUpload,
    steps: Sequence[ClassMigration],
    has: Sequence[Namespace],
) -> tuple[ClassMigration, ...]:
    """The steps with classes that begin anew where a stack is new and has nothing to move."""
    moves = [one for step in steps for one in step.transferred_classes]
    there = {(one.script, one.class_name) for one in has}
    missing = {(one.from_script, one.old) for one in moves} - there
    for script, name in sorted(missing):
        if read_tag(client, upload.account_id, script) is not None:
            others = _listed(found for owner, found in there if owner == script)
            reason = f"the script {script} has no Durable Object class {name}, "
            reason += f"only {others}" if others else "nor any other"
            remedy = (
                "Correct `from`. A class that gets its name there in the same run needs a run of "
                "its own before; one that was moved already begins with newSqliteClasses."
            )
        elif script not in upload.scripts and not upload.allow_data_loss:
            reason = f"there is no script {script} to take the Durable Object class {name} from"
            remedy = f"Correct `fromScript`. To begin with no objects: {_ALLOW}"
        else:
            continue
        raise ClassMigrationError(f"{upload.script_name}: {reason}", remedy=remedy)
    return replace_missing_transfers(steps, missing)


def _unbind_elsewhere(
    client: Client, upload: ScriptUpload, identities: Collection[str], ends: Collection[str]
) -> None:
    """Takes bindings to ending classes from the stack's other scripts; others' stop the run."""
    found = [
        one
        for one in read_references(client, upload.account_id, upload.script_name)
        if one.namespace in identities and one.script != upload.script_name
    ]
    foreign = [one for one in found if one.script not in upload.scripts]
    if foreign:
        users = ", ".join(f"{one.script} (as {one.binding})" for one in foreign)
        message = (
            f"{upload.script_name}: {_listed(ends)} cannot be deleted while scripts outside of "
            f"this stack are bound to it: {users}"
        )
        remedy = "Remove those bindings and deploy those scripts, then run this again."
        raise ClassMigrationError(message, remedy=remedy)
    for script in sorted({one.script for one in found}):
        names = {one.binding for one in found if one.script == script}
        _drop_bindings(client, upload.account_id, script, names)


def _drop_bindings(
    client: Client, account_id: str, script_name: str, names: Collection[str]
) -> None:
    """Takes bindings from a live script; its code and everything else stays."""
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
    classes = _listed(one.class_name for one in has)
    raise _one_way_door(f"{live.name}: it has {classes} and no class migration tag")


def _one_way_door(reason: str) -> ClassMigrationError:
    message = f"{reason}: it declares its Durable Objects as `exports`, as newer wranglers do"
    remedy = (
        "Cloudflare lets no script back from `exports` to class migrations. Go on deploying it "
        "with wrangler, or give the client another name and begin new classes."
    )
    return ClassMigrationError(message, remedy=remedy)


def _refuse_key_value(
    upload: ScriptUpload, has: Sequence[Namespace], before: Collection[str]
) -> None:
    old = {one.class_name for one in has if not one.use_sqlite and one.class_name in before}
    if old:
        message = (
            f"{upload.script_name}: the live class {_listed(old)} keeps its data as keys and "
            "values, and the history says SQLite"
        )
        remedy = (
            "A class never changes its storage. Begin a class of another name, copy the data in "
            "your code, and delete the old one afterwards."
        )
        raise ClassMigrationError(message, remedy=remedy)


_ALLOW = "say why in flowflare:allowDataLoss, under the name of this resource."


def _listed(names: Any) -> str:
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
    parts = [
        Part("metadata", json.dumps(metadata), "application/json"),
        Part(upload.main_module, upload.content, _JAVASCRIPT, filename=upload.main_module),
    ]
    path = script_path(upload.account_id, upload.script_name)
    try:
        client.call("PUT", path, parts=parts, query={"bindings_inherit": "strict"})
    except ApiError as error:
        if _EXPORTS_REFUSED in error.codes:
            raise _one_way_door(f"{upload.script_name}: {error.message}") from None
        live = read_tag(client, upload.account_id, upload.script_name)
        if _TAG_MISMATCH not in error.codes or live != upload.history[-1].tag:
            raise
        # It was done and the answer got lost: this refusal is for the client's repetition.
