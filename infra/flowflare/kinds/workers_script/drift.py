"""Compares scripts: whether they are there, their settings, bindings and code, and who changed it.

Values of secrets cannot be read, neither here nor by anybody: a secret that was overwritten with
another value looks as it did.
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
    differing,
    drifted,
    shown,
    text,
)
from flowflare.kinds.spelling import camel, snake
from flowflare.kinds.workers_script.apply import binding as sent_binding
from flowflare.kinds.workers_script.live_settings import SETTINGS, differing_settings
from flowflare.reading.json_text import parse_json
from flowflare.values.properties import UNKNOWN, Props, Secret, Value, leaves, plain

_JSON: Final = frozenset({"algorithm", "json"})
# What of a secret nobody can read back, as Pulumi and as the API spell it.
_VALUES: Final = frozenset({"text", "key_base64", "key_jwk", "keyBase64", "keyJwk"})


def compare(scene: Scene, account: Account) -> Iterator[Drifted]:
    """What differs in the scripts of a stack; one that is gone says nothing of its parts."""
    live = account.scripts()
    for name, one in scene.scripts.items():
        if name not in live:
            message = f"script {name} is not in the account"
            yield drifted(one, "missing", message, severity="error", action="remake", state=name)
            continue
        found = [
            *_settings(scene, one, account.settings(name)),
            *_bindings(scene, one, name, account.settings(name)),
            *_code(scene, one, name, account),
        ]
        by = account.deployed_from(name) if found else ""
        yield from (each.model_copy(update={"by": by}) for each in found)


def _settings(scene: Scene, one: Record, live: Mapping[str, Any]) -> Iterator[Drifted]:
    for key in SETTINGS:
        wanted = as_sent(one.inputs.get(camel(key)))
        if wanted is UNKNOWN:
            continue
        for path, before, after in _found(scene, one, wanted, live, key):
            message = f"{path} is {shown(after)}, state says {shown(before)}"
            yield drifted(one, "changed", message, path=path, state=before, account=after)
    flags = _listed(one, "compatibilityFlags")
    there = sorted(live.get("compatibility_flags") or [])
    if flags is not None and flags != there:
        message = f"compatibility flags are {shown(there)}, state says {shown(flags)}"
        path = "compatibility_flags"
        yield drifted(one, "changed", message, path=path, state=flags, account=there)
    tails = _listed(one, "tailConsumers")
    there = sorted(str(each.get("service")) for each in live.get("tail_consumers") or [])
    if tails is not None and tails != there:
        message = f"Tail Workers are {shown(there)}, state says {shown(tails)}"
        yield drifted(one, "changed", message, path="tail_consumers", state=tails, account=there)


@dataclass(frozen=True)
class _Binding:
    """A binding that state has.

    Attributes:
        fields: its fields as the API spells them, opened; a secret's value is left out.
        hidden: the fields that are secret in state.
    """

    fields: Mapping[str, Any]
    hidden: frozenset[str] = frozenset()

    @property
    def told(self) -> dict[str, Any]:
        """Its fields without what is secret."""
        told = _told(self.fields)
        return {key: SECRET if key in self.hidden else value for key, value in told.items()}


def _bindings(scene: Scene, one: Record, script: str, live: Mapping[str, Any]) -> Iterator[Drifted]:
    given = one.inputs.get("bindings")
    if given is UNKNOWN:
        return  # noted where it could not be opened
    given = [] if given is None else given
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        scene.note(one, "its bindings are not a list of bindings in state")
        return
    wanted, doubtful = _wanted(scene, one, script, given)
    there = {str(each.get("name")): each for each in live.get("bindings") or ()}
    for name, binding in wanted.items():
        path = f'bindings["{name}"]'
        found = there.get(name)
        if found is None:
            message = f"{_what(binding.fields)} {name} is not bound any more"
            yield drifted(one, "missing", message, path=path, state=binding.told, severity="error")
        elif binding.fields.get("type") == "inherit":
            scene.note(one, f"{path} is inherited, and state does not say what it is")
        else:
            yield from _one_binding(one, script, path, binding, found)
    for name in sorted(there.keys() - wanted.keys() - doubtful):
        found = there[name]
        message = f"{_what(found)} {name} is bound, and state does not know it"
        path = f'bindings["{name}"]'
        yield drifted(one, "extra", message, path=path, account=_told(found), action="adopt")


def _wanted(
    scene: Scene, one: Record, script: str, given: Sequence[Props]
) -> tuple[dict[str, _Binding], set[str]]:
    """The bindings of a script by name, and the names of those that could not be opened.

    What a script inherits stands at the resource that uploads it first.
    """
    found: dict[str, _Binding] = {}
    doubtful: set[str] = set()

    def take(about: Record, each: Props) -> None:
        name = str(plain(each.get("name")))
        try:
            found[name] = _opened(each)
        except SecretError as error:
            found.pop(name, None)
            doubtful.add(name)
            scene.note(about, f'bindings["{name}"] cannot be opened: {error.message}')

    for each in given:
        take(one, each)
    for earlier in (
        *scene.of_kind(script_bindings.KIND),
        *scene.of_kind(durable_object_migrations.KIND),
    ):
        listed = earlier.inputs.get("bindings")
        if text(earlier, "script_name") != script or not isinstance(listed, list):
            continue
        for each in listed:
            name = str(plain(each.get("name"))) if isinstance(each, dict) else ""
            if name in found and found[name].fields.get("type") == "inherit":
                take(earlier, each)
    return found, doubtful


def _opened(given: Props) -> _Binding:
    """A binding opened; a secret's value stays closed, since the API shows nobody's.

    Raises:
        SecretError: a field cannot be opened.
    """
    closed = _VALUES if str(plain(given.get("type"))).startswith("secret_") else frozenset()
    fields = {
        key: value
        for key, value in given.items()
        if not key.startswith("__") and key not in closed  # the real engine's own bookkeeping
    }
    hidden = frozenset(snake(key) for key, value in fields.items() if _holds_secret(value))
    return _Binding(dict(sent_binding(plain(fields))), hidden)


def _holds_secret(value: Value) -> bool:
    return any(isinstance(leaf, Secret) for leaf in leaves(value))


def _one_binding(
    one: Record,
    script: str,
    path: str,
    wanted: _Binding,
    live: Mapping[str, Any],
) -> Iterator[Drifted]:
    before, after = comparable(wanted.fields, script), comparable(live, script)
    hidden = {*wanted.hidden, *({"id"} if "database_id" in wanted.hidden else ())}
    for inner, here, there in differing(before, after):
        at = f"{path}.{inner}"
        message = f"{at} is {shown(there)}, state says {shown(here)}"
        told = (here, there)
        if re.split(r"[.\[]", inner, maxsplit=1)[0] in hidden:
            told = (SECRET, SECRET)
            message = f"{at} is not what state says, which holds it as a secret"
        yield drifted(
            one, "changed", message, path=at, state=told[0], account=told[1], severity="error"
        )
        if inner == "type":
            return


def comparable(binding: Mapping[str, Any], script: str) -> dict[str, Any]:
    """A binding with one name for what Cloudflare spells in two ways."""
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


def _found(
    scene: Scene, one: Record, wanted: Any, live: Mapping[str, Any], key: str
) -> list[tuple[str, Any, Any]]:
    """Where a setting differs; one that cannot be opened is noted."""
    try:
        return differing_settings(key, wanted, live)
    except SecretError as error:
        scene.note(one, f"{key} cannot be opened: {error.message}")
        return []


def _listed(one: Record, key: str) -> list[str] | None:
    """A list of names of a script's inputs, sorted; None if it could not be opened."""
    given = plain(one.inputs.get(key))
    if given is UNKNOWN:
        return None
    return sorted(str(each["service"] if isinstance(each, dict) else each) for each in given or ())


def _code(scene: Scene, one: Record, script: str, account: Account) -> Iterator[Drifted]:
    etag = plain(one.outputs.get("etag"))
    live = account.scripts()[script].get("etag")
    if etag and etag == live:
        return
    content = plain(one.inputs.get("content"))
    if not isinstance(content, str):
        scene.note(one, "state does not hold its code as a text")
        return
    there = main_module(account.content(script), text(one, "mainModule"))
    if there is not None and _digest(there) == _digest(content):
        return
    message = "the code is not what state uploaded"
    yield drifted(
        one,
        "changed",
        message,
        path="content",
        state=f"sha256 {_digest(content)}",
        account=None if there is None else f"sha256 {_digest(there)}",
    )


def main_module(body: str, name: str) -> str | None:
    """One module of a multipart body; None where there is none of that name.

    The API's client hands out the text alone, so the boundary is read from its first line.
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


def _what(binding: Mapping[str, Any]) -> str:
    kind = str(binding.get("type"))
    return "secret" if kind.startswith("secret_") else f"{kind} binding"


def _told(binding: Mapping[str, Any]) -> dict[str, Any]:
    hidden = _VALUES if "secret" in str(binding.get("type")) else ()
    return {key: value for key, value in binding.items() if key not in hidden}
