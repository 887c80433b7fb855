"""Compare scripts: whether they exist, and their settings, bindings and code.

The API never returns the values of secrets: an overwritten secret looks unchanged.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flowflare.errors import SecretError
from flowflare.kinds import durable_object_migrations, script_bindings
from flowflare.kinds.account import Account
from flowflare.kinds.drifted import Drifted
from flowflare.kinds.scene import (
    SECRET,
    Record,
    Scene,
    as_sent,
    find_differences,
    format_value,
    make_finding,
    text,
)
from flowflare.kinds.spelling import camel, snake
from flowflare.kinds.workers_script.apply import binding as sent_binding
from flowflare.kinds.workers_script.live_settings import (
    COMPARED,
    find_setting_differences,
    list_names,
)
from flowflare.kinds.workers_script.settings import LISTS
from flowflare.reading.json_text import parse_json
from flowflare.values.properties import UNKNOWN, Props, Secret, Value, leaves, plain

_WORDS: Final = {"tail_consumers": "Tail Workers"}
_JSON: Final = frozenset({"algorithm", "json"})
# The values of a secret that the API never returns, in Pulumi's and in the API's spelling.
_VALUES: Final = frozenset({"text", "key_base64", "key_jwk", "keyBase64", "keyJwk"})


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """Find the differences in a stack's scripts; of a missing script, only report that."""
    live = account.scripts()
    for name, record in scene.scripts.items():
        if name not in live:
            message = f"script {name} is not in the account"
            yield make_finding(
                record, "missing", message, severity="error", action="remake", state=name
            )
            continue
        found = [
            *_compare_settings(scene, record, account.settings(name)),
            *_compare_bindings(scene, record, name, account.settings(name)),
            *_compare_code(scene, record, name, account),
        ]
        by = account.deployed_from(name) if found else ""
        yield from (finding.model_copy(update={"by": by}) for finding in found)


def _compare_settings(scene: Scene, record: Record, live: Mapping[str, Any]) -> Iterator[Drifted]:
    for key in COMPARED:
        wanted = as_sent(record.inputs.get(camel(key)))
        if wanted is UNKNOWN:
            continue
        for path, before, after in _compare_setting(scene, record, wanted, live, key):
            message = f"{path} is {format_value(after)}, but state has {format_value(before)}"
            yield make_finding(record, "changed", message, path=path, state=before, account=after)
    for key in LISTS:
        given = plain(record.inputs.get(camel(key)))
        state, account = sorted(list_names(given)), sorted(list_names(live.get(key)))
        if given is not UNKNOWN and state != account:
            words = _WORDS.get(key, key.replace("_", " "))
            message = f"{words} are {format_value(account)}, but state has {format_value(state)}"
            yield make_finding(record, "changed", message, path=key, state=state, account=account)


@dataclass(frozen=True)
class _Binding:
    """A binding that state has.

    Attributes:
        fields: its decrypted fields in the API's spelling, without a secret's value.
        hidden: the fields that are secret in state.
    """

    fields: Mapping[str, Any]
    hidden: frozenset[str] = frozenset()

    @property
    def visible_fields(self) -> dict[str, Any]:
        """Its fields without secret values."""
        fields = _drop_secret_values(self.fields)
        return {key: SECRET if key in self.hidden else value for key, value in fields.items()}


def _compare_bindings(
    scene: Scene, record: Record, script: str, live: Mapping[str, Any]
) -> Iterator[Drifted]:
    given = record.inputs.get("bindings")
    if given is UNKNOWN:
        return  # already noted: it could not be decrypted
    given = [] if given is None else given
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        scene.note(record, "its bindings are not a list of bindings in state")
        return
    wanted, doubtful = _collect_wanted(scene, record, script, given)
    there = {str(item.get("name")): item for item in live.get("bindings") or ()}
    for name, binding in wanted.items():
        path = f'bindings["{name}"]'
        found = there.get(name)
        if found is None:
            message = f"{_describe(binding.fields)} {name} is not bound any more"
            yield make_finding(
                record,
                "missing",
                message,
                path=path,
                state=binding.visible_fields,
                severity="error",
            )
        elif binding.fields.get("type") == "inherit":
            scene.note(record, f"{path} is inherited, and state does not say what it is")
        else:
            yield from _compare_binding(record, script, path, binding, found)
    for name in sorted(there.keys() - wanted.keys() - doubtful):
        found = there[name]
        message = f"{_describe(found)} {name} is bound, but is not in state"
        path = f'bindings["{name}"]'
        yield make_finding(
            record, "extra", message, path=path, account=_drop_secret_values(found), action="adopt"
        )


def _collect_wanted(
    scene: Scene, record: Record, script: str, given: Sequence[Props]
) -> tuple[dict[str, _Binding], set[str]]:
    """Return a script's bindings by name, and the names of those that could not be decrypted.

    The fields of an inherited binding are in the resource that uploads it first.
    """
    found: dict[str, _Binding] = {}
    doubtful: set[str] = set()

    def take(about: Record, binding: Props) -> None:
        name = str(plain(binding.get("name")))
        try:
            found[name] = _open_binding(binding)
        except SecretError as error:
            found.pop(name, None)
            doubtful.add(name)
            scene.note(about, f'bindings["{name}"] cannot be opened: {error.message}')

    for binding in given:
        take(record, binding)
    for earlier in (
        *scene.of_kind(script_bindings.KIND),
        *scene.of_kind(durable_object_migrations.KIND),
    ):
        listed = earlier.inputs.get("bindings")
        if text(earlier, "script_name") != script or not isinstance(listed, list):
            continue
        for binding in listed:
            name = str(plain(binding.get("name"))) if isinstance(binding, dict) else ""
            if name in found and found[name].fields.get("type") == "inherit":
                take(earlier, binding)
    return found, doubtful


def _open_binding(given: Props) -> _Binding:
    """Decrypt a binding, except a secret's value, which the API never returns.

    Raises:
        SecretError: a field cannot be decrypted.
    """
    closed = _VALUES if str(plain(given.get("type"))).startswith("secret_") else frozenset()
    fields = {
        key: value
        for key, value in given.items()
        if not key.startswith("__") and key not in closed  # `__` marks Pulumi's own keys
    }
    hidden = frozenset(snake(key) for key, value in fields.items() if _holds_secret(value))
    return _Binding(dict(sent_binding(plain(fields))), hidden)


def _holds_secret(value: Value) -> bool:
    return any(isinstance(leaf, Secret) for leaf in leaves(value))


def _compare_binding(
    record: Record,
    script: str,
    path: str,
    wanted: _Binding,
    live: Mapping[str, Any],
) -> Iterator[Drifted]:
    before, after = to_comparable(wanted.fields, script), to_comparable(live, script)
    hidden = {*wanted.hidden, *({"id"} if "database_id" in wanted.hidden else ())}
    for inner, here, there in find_differences(before, after):
        at = f"{path}.{inner}"
        message = f"{at} is {format_value(there)}, but state has {format_value(here)}"
        told = (here, there)
        if re.split(r"[.\[]", inner, maxsplit=1)[0] in hidden:
            told = (SECRET, SECRET)
            message = f"{at} differs from state, which has it as a secret"
        yield make_finding(
            record, "changed", message, path=at, state=told[0], account=told[1], severity="error"
        )
        if inner == "type":
            return


def to_comparable(binding: Mapping[str, Any], script: str) -> dict[str, Any]:
    """Return a binding with one name for each field that Cloudflare spells in two ways."""
    found = dict(binding)
    if found.get("type") == "d1":
        found["id"] = found.pop("database_id", None) or found.get("id")
    if found.get("type") in ("secret_text", "secret_key"):
        for key in ("text", "key_base64", "key_jwk"):
            found.pop(key, None)
    if found.get("type") == "durable_object_namespace":
        found.setdefault("script_name", script)
        found["script_name"] = found["script_name"] or script
        found.pop("namespace_id", None)
    for key in _JSON & found.keys():
        if isinstance(found[key], str):
            try:
                found[key] = parse_json(found[key])
            except ValueError:
                continue
    return {key: value for key, value in found.items() if value is not None}


def _compare_setting(
    scene: Scene, record: Record, wanted: Any, live: Mapping[str, Any], key: str
) -> list[tuple[str, Any, Any]]:
    """Find the differences in a setting; note a setting that cannot be decrypted."""
    try:
        return find_setting_differences(key, wanted, live)
    except SecretError as error:
        scene.note(record, f"{key} cannot be opened: {error.message}")
        return []


def _compare_code(scene: Scene, record: Record, script: str, account: Account) -> Iterator[Drifted]:
    etag = plain(record.outputs.get("etag"))
    live = account.scripts()[script].get("etag")
    if etag and etag == live:
        return
    content = plain(record.inputs.get("content"))
    if not isinstance(content, str):
        scene.note(record, "state does not hold its code as a text")
        return
    body = account.content(script)
    there = main_module(body, text(record, "mainModule"))
    if there is not None and _digest(there) == _digest(content):
        yield from _compare_files(record, body)
        return
    message = "the code is not what state uploaded"
    yield make_finding(
        record,
        "changed",
        message,
        path="content",
        state=f"sha256 {_digest(content)}",
        account=None if there is None else f"sha256 {_digest(there)}",
    )


def _compare_files(record: Record, body: str) -> Iterator[Drifted]:
    """Find missing modules. The name of a module that a client's code imports has its digest.

    Source maps are not downloaded with the code.
    """
    files = plain(record.inputs.get("files"))
    for name, file in sorted(files.items()) if isinstance(files, dict) else ():
        is_module = isinstance(file, dict) and file.get("contentType") != "application/source-map"
        if is_module and main_module(body, name) is None:
            message = f"the module {name} is not in the account"
            path = f'files["{name}"]'
            yield make_finding(record, "missing", message, path=path, severity="error")


def main_module(body: str, name: str) -> str | None:
    """Return the module of that name in a multipart body; None if there is none.

    The API's client only returns the text, so the boundary is read from its first line.
    """
    boundary = body.split("\n", 1)[0].strip()
    if not boundary.startswith("--"):
        return body
    for part in body.split(boundary)[1:]:
        head, found, rest = part.partition("\r\n\r\n")
        if found and f'name="{name}"' in head:
            return rest.removesuffix("\r\n")
    return None


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _describe(binding: Mapping[str, Any]) -> str:
    kind = str(binding.get("type"))
    return "secret" if kind.startswith("secret_") else f"{kind} binding"


def _drop_secret_values(binding: Mapping[str, Any]) -> dict[str, Any]:
    hidden = _VALUES if "secret" in str(binding.get("type")) else ()
    return {key: value for key, value in binding.items() if key not in hidden}
